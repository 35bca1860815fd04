// @deepgram/sdk, unmodified. Prints one JSON object; test_deepgram_js.py judges it.
import { DeepgramClient } from '@deepgram/sdk';

const [base] = process.argv.slice(2);
const sockets = base.replace('http', 'ws');
const environment = { base, production: sockets, agent: sockets, agentRest: base };
const client = new DeepgramClient({ apiKey: 'anything', environment, maxRetries: 0 });
const text = 'The official client speaks to this server.';
const report = { errors: {} };

const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());
report.mp3 = (await bytesOf(await client.speak.v1.audio.generate({ text, model: 'aura-2-thalia-en' }))).toString('base64');
report.wav = (await bytesOf(await client.speak.v1.audio.generate({ text, encoding: 'linear16', container: 'wav' }))).toString('base64');

async function talk(connection, say) {
  const seen = { kinds: [], bytes: 0 };
  const closed = new Promise((resolve) => connection.on('close', resolve));
  const waiting = [];
  connection.on('message', (message) => {
    if (message instanceof Blob || message instanceof ArrayBuffer || Buffer.isBuffer(message)) {
      seen.bytes += message.size ?? message.byteLength;
      return;
    }
    seen.kinds.push(message.type);
    for (const one of waiting.splice(0)) one();
  });
  const until = async (kind, count = 1) => {
    while (seen.kinds.filter((one) => one === kind).length < count) {
      await new Promise((resolve) => waiting.push(resolve));
    }
  };
  connection.connect();
  await connection.waitForOpen();
  await say(until);
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 3000))]);
  connection.close();
  return seen;
}

const first = await client.speak.v1.connect({ model: 'aura-2-thalia-en', encoding: 'linear16', sample_rate: '16000' });
report.socket = await talk(first, async (until) => {
  for (const word of text.split(' ')) first.sendText({ type: 'Speak', text: `${word} ` });
  first.sendFlush({ type: 'Flush' });
  await until('Flushed');
  first.sendClear({ type: 'Clear' });
  await until('Cleared');
  first.sendClose({ type: 'Close' });
});
const second = await client.speak.v2.connect({ model: 'flux-alexis-en', encoding: 'linear16', sample_rate: '16000' });
report.turns = await talk(second, async (until) => {
  for (let turn = 1; turn <= 2; turn += 1) {
    for (const word of text.split(' ')) second.sendSpeak({ type: 'Speak', text: `${word} ` });
    second.sendFlush({ type: 'Flush' });
    await until('Flushed', turn);
  }
  second.sendClose({ type: 'Close' });
  await until('SessionMetadata');
});

const attempts = {
  model: () => client.speak.v1.audio.generate({ text, model: 'aura-2-nobody-en' }),
  key: () => new DeepgramClient({ apiKey: 'vf_live_wrong', environment, maxRetries: 0 }).speak.v1.audio.generate({ text }),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    report.errors[name] = null;
  } catch (error) {
    report.errors[name] = { status: error.statusCode, code: error.body?.err_code };
  }
}
process.stdout.write(JSON.stringify(report), () => process.exit(0));
