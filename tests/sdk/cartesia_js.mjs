// cartesia-js, unmodified. Prints one JSON object; test_cartesia_js.py judges it.
import Cartesia from '@cartesia/cartesia-js';

const [base] = process.argv.slice(2);
const client = new Cartesia({ baseURL: base, apiKey: 'sk_anything', maxRetries: 0 });
const text = 'The official client speaks to this server.';
const voice = { mode: 'id', id: 'slt' };
const raw = { container: 'raw', encoding: 'pcm_s16le', sample_rate: 16000 };
const report = { errors: {} };

const mp3 = await client.tts.generate({
  model_id: 'sonic-3', transcript: text, voice, output_format: { container: 'mp3', sample_rate: 44100, bit_rate: 128000 },
});
report.mp3 = Buffer.from(await mp3.arrayBuffer()).toString('base64');

report.events = { kinds: [], words: [], audio: '' };
const chunks = [];
const events = await client.tts.generateSSE({
  model_id: 'sonic-3', transcript: text, voice, output_format: raw, add_timestamps: true,
});
for await (const event of events) {
  report.events.kinds.push(event.type);
  if (event.type === 'chunk') chunks.push(Buffer.from(event.data, 'base64'));
  if (event.type === 'timestamps') report.events.words.push(...event.word_timestamps.words);
}
report.events.audio = Buffer.concat(chunks).toString('base64');

const socket = await client.tts.websocket();
report.contexts = [];
const contexts = [1, 2].map(() => socket.context({ model_id: 'sonic-3', voice, output_format: raw, add_timestamps: true }));
for (const word of text.split(' ')) {
  for (const context of contexts) await context.push({ transcript: `${word} ` });
}
await contexts[0].flush();
for (const context of contexts) await context.no_more_inputs();
for (const context of contexts) {
  const seen = { kinds: [], words: [], bytes: 0 };
  for await (const event of context.receive()) {
    if (!seen.kinds.includes(event.type)) seen.kinds.push(event.type);
    if (event.type === 'chunk') seen.bytes += Buffer.from(event.data, 'base64').length;
    if (event.type === 'timestamps') seen.words.push(...event.word_timestamps.words);
  }
  report.contexts.push(seen);
}
const last = socket.context({ model_id: 'sonic-3', voice, output_format: raw });
await last.push({ transcript: 'This is stopped. '.repeat(20) });
await last.cancel();
socket.close();

report.voices = [];
for await (const one of client.voices.list({ limit: 20 })) report.voices.push(one.id);
report.voice = await client.voices.get('slt');

const attempts = {
  voice: () => client.tts.generate({ model_id: 'sonic-3', transcript: text, voice: { mode: 'id', id: 'nobody' }, output_format: raw }),
  text: () => client.tts.generate({ model_id: 'sonic-3', transcript: '', voice, output_format: raw }),
  key: () => new Cartesia({ baseURL: base, apiKey: 'vf_live_wrong', maxRetries: 0 }).voices.list(),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    report.errors[name] = null;
  } catch (error) {
    report.errors[name] = { status: error.status, code: error.error?.error_code };
  }
}
console.log(JSON.stringify(report));
