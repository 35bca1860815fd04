// Speaks the text while it streams: raw PCM from /v1/generate/stream is queued into an AudioContext
// chunk by chunk, and kept so that the finished audio can be replayed and downloaded as WAV.

const SAMPLE_RATE = 24000;
const MAX_CHARACTERS = 5000;
const LEAD_SECONDS = 0.05; // what is queued before playback starts, against a stutter at once

const $ = (id) => document.getElementById(id);
const els = Object.fromEntries(
  ['form', 'text', 'count', 'voice', 'speed', 'speed-value', 'speak', 'stop', 'download', 'status', 'player', 'curl', 'copy']
    .map((id) => [id, $(id)]));

let running = null; // the AbortController of the speech that plays

function show(message, isError = false) {
  els.status.textContent = message;
  els.status.classList.toggle('error', isError);
}

function requestBody(format) {
  const body = { text: els.text.value, voice: els.voice.value, format };
  const speed = Number(els.speed.value);
  if (speed !== 1) body.speed = speed;
  return body;
}

// One argument of a POSIX shell.
function shellQuote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function refresh() {
  const characters = [...els.text.value].length;
  els.count.textContent = characters.toLocaleString('en');
  els.text.setCustomValidity(characters > MAX_CHARACTERS ? 'At most 5,000 characters.' : '');
  els['speed-value'].textContent = `${Number(els.speed.value).toFixed(2).replace(/0$/, '')}×`;
  els.curl.textContent = `curl ${location.origin}/v1/generate \\\n` +
    `  -H 'Content-Type: application/json' \\\n` +
    `  -d ${shellQuote(JSON.stringify(requestBody('wav')))} \\\n  -o speech.wav`;
}

async function loadVoices() {
  const response = await fetch('/api/voices');
  if (!response.ok) throw new Error(await errorText(response));
  const { voices } = await response.json();
  const groups = new Map();
  for (const voice of voices) {
    const group = voice.quality === 'standard' ? 'Natural' : 'More languages';
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(voice);
  }
  for (const name of [...groups.keys()].sort()) {
    const group = document.createElement('optgroup');
    group.label = name;
    for (const voice of groups.get(name)) {
      group.append(new Option(`${voice.name} (${voice.languages[0]}, ${voice.gender})`, voice.id));
    }
    els.voice.append(group);
  }
  if (voices.some((voice) => voice.id === 'alloy')) els.voice.value = 'alloy';
  refresh();
}

async function errorText(response) {
  try {
    const problem = await response.json();
    return problem.detail ?? problem.title;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function wavBlob(chunks, bytes) {
  const header = new DataView(new ArrayBuffer(44));
  const ascii = (at, text) => [...text].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, 'RIFF'); header.setUint32(4, 36 + bytes, true); ascii(8, 'WAVEfmt ');
  header.setUint32(16, 16, true); header.setUint16(20, 1, true); header.setUint16(22, 1, true);
  header.setUint32(24, SAMPLE_RATE, true); header.setUint32(28, SAMPLE_RATE * 2, true);
  header.setUint16(32, 2, true); header.setUint16(34, 16, true);
  ascii(36, 'data'); header.setUint32(40, bytes, true);
  return new Blob([header, ...chunks], { type: 'audio/wav' });
}

// Queues PCM chunks one after the other on the audio clock.
class Playback {
  constructor() {
    this.context = new AudioContext({ sampleRate: SAMPLE_RATE });
    this.next = 0;
    this.rest = new Uint8Array(0); // half a sample that a network chunk cut
  }

  push(bytes) {
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest);
    joined.set(bytes, this.rest.length);
    const samples = joined.length >> 1;
    this.rest = joined.slice(samples * 2);
    if (samples === 0) return;
    const view = new DataView(joined.buffer);
    const buffer = this.context.createBuffer(1, samples, SAMPLE_RATE);
    const channel = buffer.getChannelData(0);
    for (let i = 0; i < samples; i++) channel[i] = view.getInt16(i * 2, true) / 32768;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    this.next = Math.max(this.next, this.context.currentTime + LEAD_SECONDS);
    source.start(this.next);
    this.next += buffer.duration;
  }

  // Resolves when all that was queued has been heard; rejects when `signal` aborts first.
  ended(signal) {
    const left = Math.max(0, this.next - this.context.currentTime);
    return new Promise((resolve, reject) => {
      setTimeout(resolve, left * 1000);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }
}

async function speak() {
  const abort = new AbortController();
  const playback = new Playback();
  running = abort;
  els.speak.disabled = true;
  els.stop.disabled = false;
  els.download.hidden = true;
  els.player.hidden = true;
  show('Waiting for the first sound…');
  const started = performance.now();
  try {
    const response = await fetch('/v1/generate/stream', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...requestBody('pcm'), sample_rate: SAMPLE_RATE }),
      signal: abort.signal,
    });
    if (!response.ok) throw new Error(await errorText(response));
    const chunks = [];
    let bytes = 0;
    let first = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      first ||= performance.now() - started;
      show(`Speaking. First sound after ${Math.round(first)} ms.`);
      playback.push(value);
      chunks.push(value);
      bytes += value.length;
    }
    offer(chunks, bytes);
    const seconds = (bytes / 2 / SAMPLE_RATE).toFixed(1);
    show(`${seconds} s of speech. First sound after ${Math.round(first)} ms.`);
    await playback.ended(abort.signal);
  } catch (error) {
    if (error.name === 'AbortError') show('Stopped.');
    else show(error.message, true);
  } finally {
    playback.context.close();
    running = null;
    els.speak.disabled = false;
    els.stop.disabled = true;
  }
}

function offer(chunks, bytes) {
  if (els.player.src) URL.revokeObjectURL(els.player.src);
  const url = URL.createObjectURL(wavBlob(chunks, bytes));
  els.player.src = url;
  els.player.hidden = false;
  els.download.href = url;
  els.download.download = 'speech.wav';
  els.download.hidden = false;
}

els.form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!running) speak();
});
els.stop.addEventListener('click', () => running?.abort());
for (const id of ['text', 'voice', 'speed']) els[id].addEventListener('input', refresh);
els.copy.addEventListener('click', async () => {
  await navigator.clipboard.writeText(els.curl.textContent);
  show('Copied.');
});

refresh();
loadVoices().catch((error) => show(error.message, true));
