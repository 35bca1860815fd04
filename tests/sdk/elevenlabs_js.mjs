// elevenlabs-js, unmodified: it refuses replies without what its types require. Prints one JSON
// object; test_elevenlabs_js.py judges it.
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import OpenAI from 'openai';

const [base] = process.argv.slice(2);
const client = new ElevenLabsClient({ baseUrl: base, apiKey: 'sk_anything', maxRetries: 0 });
const text = 'The official client speaks to this server.';
const report = { errors: {} };

async function bytesOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return { chunks: chunks.length, bytes: Buffer.concat(chunks) };
}
const encoded = async (stream) => {
  const { chunks, bytes } = await bytesOf(stream);
  return { chunks, audio: bytes.toString('base64') };
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

report.convert = await encoded(await client.textToSpeech.convert('slt', { text, modelId: 'eleven_multilingual_v2' }));
report.stream = await encoded(await client.textToSpeech.stream('slt', { text: `${text} `.repeat(6), outputFormat: 'pcm_24000' }));
const timed = await client.textToSpeech.convertWithTimestamps('slt', { text });
report.timed = { characters: timed.alignment.characters.join(''), starts: timed.alignment.characterStartTimesSeconds, audio: timed.audioBase64 };
report.timedStream = { characters: '', audio: '' };
for await (const chunk of await client.textToSpeech.streamWithTimestamps('slt', { text })) {
  report.timedStream.characters += (chunk.alignment?.characters ?? []).join('');
  report.timedStream.audio += Buffer.from(chunk.audioBase64, 'base64').toString('hex');
}
report.dialogue = await encoded(
  await client.textToDialogue.convert({ inputs: [{ text: 'Hi.', voiceId: 'slt' }, { text: 'Ho.', voiceId: 'rms' }] }),
);

report.voices = (await client.voices.getAll()).voices.map((voice) => voice.voiceId);
const page = await client.voices.search({ pageSize: 2 });
report.search = { count: page.voices.length, hasMore: page.hasMore, total: page.totalCount };
report.voice = (await client.voices.get('slt')).voiceId;
report.settings = await client.voices.settings.get('slt');
report.models = (await client.models.list()).map((model) => model.modelId);
const other = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sk-anything' });
report.openaiModels = [];
for await (const model of other.models.list()) report.openaiModels.push(model.id);

for (let round = 0; round < 100; round += 1) {
  report.history = (await client.history.list({ pageSize: 20 })).history;
  if (report.history.length >= 5) break;
  await sleep(50);
}
const { historyItemId } = report.history[0];
report.historyItem = (await client.history.get(historyItemId)).historyItemId === historyItemId;
report.historyAudio = (await bytesOf(await client.history.getAudio(historyItemId))).bytes.length;
report.historyDeleted = (await client.history.delete(historyItemId)).status;

const made = await client.pronunciationDictionaries.createFromRules({
  name: 'From JavaScript',
  rules: [{ type: 'alias', stringToReplace: 'VF', alias: 'voice flow' }],
});
report.dictionary = { rules: made.versionRulesNum };
const pls = '<?xml version="1.0"?><lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en-US"><lexeme><grapheme>JS</grapheme><alias>jay ess</alias></lexeme></lexicon>';
const fromFile = await client.pronunciationDictionaries.createFromFile({
  name: 'File from JavaScript',
  file: new File([pls], 'words.pls', { type: 'application/pls+xml' }),
});
report.dictionary.fromFile = fromFile.versionRulesNum;
report.dictionary.listed = (await client.pronunciationDictionaries.list({ pageSize: 50 })).pronunciationDictionaries.length;
report.dictionary.got = (await client.pronunciationDictionaries.get(made.id)).rules.map((rule) => rule.stringToReplace);
report.dictionary.set = (
  await client.pronunciationDictionaries.rules.set(made.id, { rules: [{ type: 'alias', stringToReplace: 'A', alias: 'b' }, { type: 'alias', stringToReplace: 'C', alias: 'd' }] })
).versionRulesNum;
report.dictionary.spoken = (
  await bytesOf(await client.textToSpeech.convert('slt', { text: 'VF', pronunciationDictionaryLocators: [{ pronunciationDictionaryId: made.id, versionId: made.versionId }] }))
).bytes.length;

report.user = (await client.user.get()).subscription.tier;
report.subscription = (await client.user.subscription.get()).characterLimit;
report.stats = (await client.usage.get({ startUnix: 1795000000000, endUnix: 1796000000000 })).time.length;

const attempts = {
  voice: () => client.textToSpeech.convert('nobody', { text: 'Hi.' }),
  text: () => client.textToSpeech.convert('slt', { text: '' }),
  body: () => client.textToSpeech.convert('slt', { text: 'Hi.', seed: -1 }),
  item: () => client.history.get('hist_unknown'),
  clone: () => client.voices.ivc.create({ name: 'Me', files: [new File(['RIFF'], 'me.wav')] }),
  key: () => new ElevenLabsClient({ baseUrl: base, apiKey: 'vf_live_unknown' }).models.list(),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    report.errors[name] = null;
  } catch (error) {
    let { body } = error;
    // The client leaves the body of a failed stream unread.
    if (body && typeof body.getReader === 'function') body = JSON.parse((await bytesOf(body)).bytes.toString());
    const { detail } = body ?? {};
    report.errors[name] = {
      name: error.constructor.name, status: error.statusCode, code: Array.isArray(detail) ? detail[0].loc : detail?.code,
    };
  }
}
console.log(JSON.stringify(report));
