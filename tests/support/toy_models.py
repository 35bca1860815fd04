"""Small neural models in the layouts that publishers ship: real ONNX graphs of a few kilobytes, which
hum a tone for each phoneme. Written with a protobuf encoder of a few lines, without an ONNX library."""

import io
import json
import math
import pathlib
import struct
import tarfile
import zipfile

import numpy

PIPER_RATE = 22050
KOKORO_RATE = 24000
TONE = 700  # samples for each token

# The symbols of Piper's own phoneme_id_map, then the ones only other models have.
SYMBOLS = ("_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄ"
           "ʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ0123456789̧̪̯̩̃ʰˤε↓#\"↑̺̻gʦX")

FLOAT, INT64 = 1, 7


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value & (1 << 64) - 1)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, data_type, dims, values):
    code = {FLOAT: "f", INT64: "q"}[data_type]
    raw = struct.pack(f"<{len(values)}{code}", *values)
    return b"".join(field(1, d) for d in dims) + field(2, data_type) + field(8, name) + field(9, raw)


def node(op, inputs, outputs, **attributes):
    body = b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
    body += field(4, op)
    for key, value in attributes.items():
        body += field(5, field(1, key) + field(3, value) + field(20, 2))
    return body


def value(name, data_type, dims):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, data_type) + field(2, shape)))


def metadata(pairs):
    return b"".join(field(14, field(1, k) + field(2, str(v))) for k, v in pairs.items())


def model(nodes, initializers, inputs, outputs, props=None):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "toy")
    graph += b"".join(field(5, t) for t in initializers)
    graph += b"".join(field(11, value(*i)) for i in inputs)
    graph += b"".join(field(12, value(*o)) for o in outputs)
    return (field(1, 8) + field(2, "toy_models.py") + field(8, field(1, "") + field(2, 13))
            + field(7, graph) + metadata(props or {}))


def wave(speaker, rate, samples=TONE):
    hertz = 150 + 70 * speaker
    return [math.sin(2 * math.pi * hertz * i / rate) for i in range(samples)]


def hum(tokens, scale, wanted, rate, speakers=1, sid=None):
    """Nodes that make of int64 [1, L] `tokens` a float [1, 1, T] with T = L * TONE * `scale`, where
    `scale` names a float [1]."""
    waves = [s for speaker in range(speakers) for s in wave(speaker, rate)]
    initializers = [tensor("gain", FLOAT, [1], [0.004]), tensor("waves", FLOAT, [speakers, TONE], waves),
                    tensor("last", INT64, [1], [2]), tensor("flat", INT64, [1], [-1]),
                    tensor("shape", INT64, [3], [1, 1, -1]), tensor("zero", FLOAT, [], [0]),
                    tensor("one", FLOAT, [], [1]), tensor("first", INT64, [1], [0]),
                    tensor("scalar", INT64, [0], []), tensor("loudest", FLOAT, [], [0.6]),
                    tensor("softest", FLOAT, [], [0.1])]
    nodes = [node("Cast", [tokens], ["f"], to=FLOAT), node("Mul", ["f", "gain"], ["g0"]),
             node("Clip", ["g0", "softest", "loudest"], ["g"]),
             node("Unsqueeze", ["g", "last"], ["u"]), node("Gather", ["waves", sid or "first"], ["w"]),
             node("Mul", ["u", "w"], ["m"]), node("Reshape", ["m", "flat"], ["all"]),
             node("Shape", ["all"], ["n"]), node("Cast", ["n"], ["nf"], to=FLOAT),
             node("Mul", ["nf", scale], ["end1"]), node("Reshape", ["end1", "scalar"], ["end"]),
             node("Range", ["zero", "end", "one"], ["i"]), node("Div", ["i", scale], ["j"]),
             node("Cast", ["j"], ["k"], to=INT64), node("Gather", ["all", "k"], ["out"]),
             node("Reshape", ["out", "shape"], [wanted])]
    return nodes, initializers


def vits_onnx(rate=PIPER_RATE, speakers=1, props=None):
    """What Piper exports: input, input_lengths, scales and, with several speakers, sid."""
    inputs = [("input", INT64, ["batch", "phonemes"]), ("input_lengths", INT64, ["batch"]),
              ("scales", FLOAT, [3])]
    if speakers > 1:
        inputs.append(("sid", INT64, ["batch"]))
    nodes, initializers = hum("input", "scale", "output", rate, speakers, "sid" if speakers > 1 else None)
    initializers.append(tensor("second", INT64, [1], [1]))
    nodes.insert(0, node("Gather", ["scales", "second"], ["scale"]))
    return model(nodes, initializers, inputs, [("output", FLOAT, ["batch", 1, "time"])], props)


def styled_onnx(rate, props, speakers, dim, names=("tokens", "style", "speed")):
    """Kokoro and KittenTTS: tokens, one row of the speaker's style, speed."""
    inputs = [(names[0], INT64, [1, "n"]), (names[1], FLOAT, [1, dim]), (names[2], FLOAT, [1])]
    nodes, initializers = hum(names[0], "scale", "spoken", rate)
    initializers += [tensor("unit", FLOAT, [1], [1]), tensor("whole", INT64, [1], [-1]),
                     tensor("axis", INT64, [1], [0])]
    nodes.insert(0, node("Div", ["unit", names[2]], ["scale"]))
    # The style's first number is the loudness, so that it matters which one is used.
    nodes += [node("Gather", [names[1], "axis"], ["s0"]), node("ReduceMean", ["s0"], ["loud"], keepdims=0),
              node("Mul", ["spoken", "loud"], ["louder"]), node("Reshape", ["louder", "whole"], ["audio"])]
    return model(nodes, initializers, inputs, [("audio", FLOAT, ["t"])], props)


def piper_json(rate=PIPER_RATE, language="en_US", espeak="en-us", name="lessac", quality="medium",
               speakers=None):
    speakers = speakers or {}
    family, _, region = language.partition("_")
    return {"audio": {"sample_rate": rate, "quality": quality}, "espeak": {"voice": espeak},
            "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
            "phoneme_type": "espeak", "phoneme_map": {},
            "phoneme_id_map": {s: [i] for i, s in enumerate(SYMBOLS)},
            "num_symbols": 256, "num_speakers": max(len(speakers), 1), "speaker_id_map": speakers,
            "piper_version": "1.0.0", "dataset": name,
            "language": {"code": language, "family": family, "region": region,
                         "name_native": "English", "name_english": "English",
                         "country_english": "United States"}}


def tokens_txt(symbols=SYMBOLS):
    return "".join(f"{s} {i}\n" for i, s in enumerate(symbols))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def piper(folder, language="en_US", name="lessac", quality="medium", rate=PIPER_RATE, speakers=None,
          espeak="en-us", length=1):
    """x.onnx without metadata and x.onnx.json, as Piper publishes a voice; the .onnx file's path."""
    folder = pathlib.Path(folder)
    stem = f"{language}-{name}-{quality}"
    onnx = write(folder / f"{stem}.onnx", vits_onnx(rate, max(len(speakers or {}), 1)))
    config = piper_json(rate, language, espeak, name, quality, speakers)
    config["inference"]["length_scale"] = length
    write(folder / f"{stem}.onnx.json", json.dumps(config))
    return onnx


VITS_PROPS = {"model_type": "vits", "comment": "piper", "language": "English", "voice": "en-us",
              "has_espeak": 1, "n_speakers": 1, "sample_rate": PIPER_RATE}
KOKORO_SPEAKERS = ["af_bella", "am_adam", "bf_emma", "zf_xiaobei"]
KITTEN_SPEAKERS = ["expr-voice-2-m", "expr-voice-2-f"]


def sherpa_vits(folder, props=None, data=None):
    """The content of a sherpa-onnx archive of a Piper voice: metadata is in the model."""
    folder = pathlib.Path(folder)
    write(folder / "en_US-amy-low.onnx", vits_onnx(props=VITS_PROPS if props is None else props))
    write(folder / "tokens.txt", tokens_txt())
    write(folder / "MODEL_CARD", "# Model card\n\n* License: CC0\n")
    copy_data(folder, data)
    return folder


def copy_data(folder, data=None):
    """espeak-ng's own tables, which such archives carry: what sherpa-onnx looks for, and a language."""
    source = pathlib.Path(data) if data else espeak_data()
    for name in ("phontab", "phonindex", "phondata", "intonations", "en_dict"):
        write(folder / "espeak-ng-data" / name, (source / name).read_bytes())
    for path in (source / "lang" / "gmw").glob("en*"):
        write(folder / "espeak-ng-data" / "lang" / "gmw" / path.name, path.read_bytes())


def espeak_data():
    for folder in ("/usr/lib/x86_64-linux-gnu/espeak-ng-data", "/usr/lib/aarch64-linux-gnu/espeak-ng-data",
                   "/usr/share/espeak-ng-data"):
        if (pathlib.Path(folder) / "phontab").exists():
            return pathlib.Path(folder)
    raise RuntimeError("espeak-ng-data is not installed")


def kokoro(folder):
    """As sherpa-onnx packs Kokoro: model, voices.bin, tokens, espeak-ng-data."""
    folder = pathlib.Path(folder)
    rows, dim = 510, 4
    props = {"model_type": "kokoro", "language": "multi-lang", "has_espeak": 1, "version": 1,
             "sample_rate": KOKORO_RATE, "voice": "en-us", "style_dim": f"{rows},1,{dim}",
             "n_speakers": len(KOKORO_SPEAKERS), "speaker_names": ",".join(KOKORO_SPEAKERS)}
    write(folder / "model.onnx", styled_onnx(KOKORO_RATE, props, len(KOKORO_SPEAKERS), dim))
    write(folder / "voices.bin", styles(len(KOKORO_SPEAKERS), rows, dim))
    write(folder / "tokens.txt", tokens_txt())
    write(folder / "LICENSE", "Apache License, Version 2.0\n")
    copy_data(folder)
    return folder


def styles(speakers, rows, dim):
    floats = [1.0 / (1 + speaker) for speaker in range(speakers) for _ in range(rows * dim)]
    return struct.pack(f"<{len(floats)}f", *floats)


def kitten(folder):
    """As sherpa-onnx packs KittenTTS."""
    folder = pathlib.Path(folder)
    props = {"model_type": "kitten-tts", "language": "English", "has_espeak": 1, "version": 1,
             "sample_rate": KOKORO_RATE, "voice": "en-us", "style_dim": "1,256",
             "n_speakers": len(KITTEN_SPEAKERS), "speaker_names": ",".join(KITTEN_SPEAKERS)}
    write(folder / "model.fp16.onnx", styled_onnx(KOKORO_RATE, props, len(KITTEN_SPEAKERS), 256,
                                                  ("input_ids", "style", "speed")))
    write(folder / "voices.bin", styles(len(KITTEN_SPEAKERS), 1, 256))
    write(folder / "tokens.txt", tokens_txt())
    copy_data(folder)
    return folder


def npz(speakers, rows, dim):
    """What numpy.savez writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number, name in enumerate(speakers):
            array = io.BytesIO()
            numpy.save(array, numpy.full((rows, dim), 1 / (1 + number), dtype=numpy.float32))
            packed.writestr(name + ".npy", array.getvalue())
    return out.getvalue()


def stock_kitten(folder, rows=1):
    """As KittenML publishes KittenTTS: no metadata, the styles in NumPy's format. Several rows: 0.8."""
    folder = pathlib.Path(folder)
    names = ("input_ids", "style", "speed")
    write(folder / "kitten_tts_nano_v0_1.onnx",
          styled_onnx(KOKORO_RATE, None, len(KITTEN_SPEAKERS), 256, names))
    write(folder / "voices.npz", npz(KITTEN_SPEAKERS, rows, 256))
    write(folder / "config.json", json.dumps({"name": "Kitten TTS Nano", "type": "ONNX1",
                                              "speed_priors": {name: 0.5 for name in KITTEN_SPEAKERS}}))
    return folder


def matcha(folder, vocoder=True):
    """Acoustic model and vocoder, as sherpa-onnx packs the former and publishes the latter."""
    folder = pathlib.Path(folder)
    props = {"model_type": "matcha-tts", "language": "English", "voice": "en-us", "has_espeak": 1,
             "n_speakers": 1, "jieba": 0, "sample_rate": PIPER_RATE, "version": 1, "pad_id": 0,
             "use_eos_bos": 1, "num_ode_steps": 3}
    # The "mel" of the toy is the finished tone, 80 times; its vocoder takes the first.
    nodes, initializers = hum("x", "length_scale", "tone", PIPER_RATE)
    initializers.append(tensor("grid", INT64, [3], [1, 80, 1]))
    nodes.append(node("Expand", ["tone", "grid"], ["mel"]))
    inputs = [("x", INT64, [1, "n"]), ("x_length", INT64, [1]), ("noise_scale", FLOAT, [1]),
              ("length_scale", FLOAT, [1])]
    write(folder / "model-steps-3.onnx",
          model(nodes, initializers, inputs, [("mel", FLOAT, [1, 80, "t"])], props))
    write(folder / "tokens.txt", tokens_txt())
    copy_data(folder)
    if vocoder:
        write(folder / "hifigan_v2.onnx", vocoder_onnx())
    return folder


def vocoder_onnx():
    initializers = [tensor("first", INT64, [1], [0]), tensor("shape", INT64, [3], [1, 1, -1])]
    nodes = [node("Gather", ["mel", "first"], ["row"], axis=1), node("Reshape", ["row", "shape"], ["audio"])]
    return model(nodes, initializers, [("mel", FLOAT, [1, 80, "t"])], [("audio", FLOAT, [1, 1, "s"])],
                 {"model_type": "hifigan", "sample_rate": PIPER_RATE})


def archive(folder, path):
    """Packs `folder` with its own name in front, as the sherpa-onnx releases do."""
    folder, path = pathlib.Path(folder), pathlib.Path(path)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for file in sorted(folder.rglob("*")):
                out.write(file, pathlib.Path(folder.name) / file.relative_to(folder))
    else:
        with tarfile.open(path, "w:bz2" if path.suffix == ".bz2" else "w:gz") as out:
            out.add(folder, folder.name)
    return path
