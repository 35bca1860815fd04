// openai-node, unmodified. Prints one JSON object; test_openai_node.py judges it.
import OpenAI from 'openai';

const [base] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sk-anything' });
const input = 'The official client speaks to this server.';
const report = { formats: {}, errors: {} };

for (const response_format of ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']) {
  const reply = await client.audio.speech.create({ model: 'tts-1', voice: 'nova', input, response_format });
  const body = Buffer.from(await reply.arrayBuffer());
  report.formats[response_format] = { type: reply.headers.get('content-type'), audio: body.toString('base64') };
}

const streamed = await client.audio.speech.create({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: `${input} `.repeat(8) });
let chunks = 0;
let bytes = 0;
for await (const chunk of streamed.body) {
  chunks += 1;
  bytes += chunk.length;
}
report.streamed = { chunks, bytes };

const { request_id } = await client.audio.speech
  .create({ model: 'tts-1', voice: 'alloy', input: 'Hi.' }, { headers: { 'X-Request-Id': 'from-node' } })
  .withResponse();
report.requestId = request_id;

const attempts = {
  empty: () => client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: '' }),
  speed: () => client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hi.', speed: 9 }),
  voice: () => client.audio.speech.create({ model: 'tts-1', voice: 'nobody', input: 'Hi.' }),
  model: () => client.models.retrieve('gpt-9'),
  key: () => new OpenAI({ baseURL: `${base}/v1`, apiKey: 'vf_live_unknown' }).models.list(),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    report.errors[name] = null;
  } catch (error) {
    report.errors[name] = { name: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}
report.models = [];
for await (const model of client.models.list()) report.models.push(model.id);
console.log(JSON.stringify(report));
