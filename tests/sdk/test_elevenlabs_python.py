"""elevenlabs-python, unmodified, against the real server."""

import base64
import io
import zipfile

import openai
import pytest
from elevenlabs import VoiceSettings
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import (PronunciationDictionaryAliasRuleRequestModel,
                              PronunciationDictionaryVersionLocator)

from support.audio import align, decode
from support.server import wait_until

TEXT = "The official client speaks to this server."
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]
PLS = b"""<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa"
         xml:lang="en-US">
  <lexeme><grapheme>VF</grapheme><alias>voice flow</alias></lexeme>
</lexicon>"""


@pytest.fixture(scope="module")
def client(server):
    return ElevenLabs(base_url=server.url, api_key="sk_anything")


def test_convert(client):
    audio = b"".join(client.text_to_speech.convert(
        "slt", text=TEXT, model_id="eleven_multilingual_v2", output_format="mp3_44100_128",
        voice_settings=VoiceSettings(stability=0.5, similarity_boost=0.75)))
    words = align(decode(audio, "mp3"), WORDS)
    assert words and words[0][0] == "the" and words[-1][0] == "server"


def test_stream(client):
    chunks = list(client.text_to_speech.stream("slt", text=" ".join([TEXT] * 6),
                                               output_format="pcm_24000"))
    assert len(chunks) > 3
    assert decode(b"".join(chunks), "pcm", 24000).seconds > 10


def check(alignment, text):
    assert "".join(alignment.characters) == text
    starts, ends = alignment.character_start_times_seconds, alignment.character_end_times_seconds
    assert len(starts) == len(ends) == len(text)
    assert starts == sorted(starts) and all(a <= b for a, b in zip(starts, ends))
    return ends[-1]


def test_timestamps(client):
    reply = client.text_to_speech.convert_with_timestamps("slt", text=TEXT)
    end = check(reply.alignment, TEXT)
    assert reply.normalized_alignment.characters
    sound = decode(base64.b64decode(reply.audio_base_64), "mp3")
    assert end <= sound.seconds + 0.05 and end > 0.8 * sound.seconds


def test_streamed_timestamps(client):
    chunks = list(client.text_to_speech.stream_with_timestamps("slt", text=TEXT))
    assert len(chunks) > 1
    characters, starts = [], []
    for chunk in chunks:
        if chunk.alignment:
            characters += chunk.alignment.characters
            starts += chunk.alignment.character_start_times_seconds
    assert "".join(characters) == TEXT and starts == sorted(starts)
    audio = b"".join(base64.b64decode(chunk.audio_base_64) for chunk in chunks)
    assert decode(audio, "mp3").seconds > starts[-1]


def test_forced_alignment(client):
    audio = b"".join(client.text_to_speech.convert("slt", text=TEXT))
    found = client.forced_alignment.create(file=("speech.mp3", audio), text=TEXT)
    assert [word.text.lower() for word in found.words] == WORDS
    assert "".join(character.text for character in found.characters) == TEXT
    assert 0 < found.loss < 8


def test_dialogue(client):
    audio = b"".join(client.text_to_dialogue.convert(
        inputs=[{"text": "Knock, knock.", "voice_id": "slt"},
                {"text": "Who is there?", "voice_id": "rms"}]))
    assert decode(audio, "mp3").seconds > 1


def test_stitching_by_request_ids(client):
    ids, parts = [], []
    for text in ("This is the first part.", "And this is the second."):
        with client.text_to_speech.with_raw_response.convert(
                "slt", text=text, previous_request_ids=ids[-1:] or None) as reply:
            ids.append(reply.headers["request-id"])
            parts.append(b"".join(reply.data))
            assert int(reply.headers["character-cost"]) == len(text)
            assert int(reply.headers["maximum-concurrent-requests"]) >= 1
    assert len(set(ids)) == 2 and all(len(part) > 10_000 for part in parts)


def test_voices(client):
    everything = client.voices.get_all().voices
    assert "slt" in [voice.voice_id for voice in everything]
    page = client.voices.search(page_size=3, include_total_count=True)
    assert len(page.voices) == 3 and page.has_more and page.total_count == len(everything)
    following = client.voices.search(page_size=3, next_page_token=page.next_page_token)
    assert not {v.voice_id for v in page.voices} & {v.voice_id for v in following.voices}
    assert [v.voice_id for v in client.voices.search(search="slt").voices][:1] == ["slt"]
    assert client.voices.get("slt").name
    assert client.voices.settings.get_default().stability == 0.5


def test_voice_settings_are_kept(client):
    assert client.voices.settings.update(
        "rms", request=VoiceSettings(stability=0.3, speed=1.1)).status == "ok"
    settings = client.voices.settings.get("rms")
    assert (settings.stability, settings.speed, settings.style) == (0.3, 1.1, 0)


@pytest.mark.parametrize("labels", [None, {"accent": "none"}])
def test_cloning_is_refused_clearly(client, labels):
    options = {"labels": labels} if labels else {}
    with pytest.raises(ApiError) as caught:
        client.voices.ivc.create(name="Me", files=[io.BytesIO(b"RIFF")], **options)
    assert caught.value.status_code == 403
    assert caught.value.body["detail"]["code"] == "feature_not_available"


def test_models_of_both_vendors_at_one_origin(client, server):
    models = client.models.list()
    assert "eleven_multilingual_v2" in [model.model_id for model in models]
    assert all(model.languages for model in models)
    with openai.OpenAI(base_url=server.url + "/v1", api_key="sk-anything") as other:
        assert "tts-1" in [model.id for model in other.models.list()]


def test_prefixes_for_proxies(server):
    client = ElevenLabs(base_url=server.url + "/elevenlabs", api_key="sk_anything")
    assert client.models.list()[0].model_id.startswith("eleven_")
    assert b"".join(client.text_to_speech.convert("slt", text="Hi."))
    with openai.OpenAI(base_url=server.url + "/openai/v1", api_key="sk-anything") as other:
        assert "tts-1" in [model.id for model in other.models.list()]


def test_history(client):
    with client.text_to_speech.with_raw_response.convert("slt", text="Remember me well.") as reply:
        sent = b"".join(reply.data)
        request_id = reply.headers["request-id"]

    def there():
        found = [item for item in client.history.list(page_size=50).history
                 if item.request_id == request_id]
        return found and found[0]
    item = wait_until(there, 10, "the history item")
    assert item.text == "Remember me well." and item.voice_id == "slt"
    assert client.history.get(item.history_item_id).model_id == "eleven_multilingual_v2"
    assert b"".join(client.history.get_audio(item.history_item_id)) == sent
    with client.text_to_speech.with_raw_response.convert("slt", text="Me too.") as reply:
        b"".join(reply.data)
    other = wait_until(lambda: [i for i in client.history.list(search="me too").history], 10)[0]
    archive = b"".join(client.history.download(
        history_item_ids=[item.history_item_id, other.history_item_id]))
    assert len(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == 2
    client.history.delete(item.history_item_id)
    with pytest.raises(ApiError) as caught:
        client.history.get(item.history_item_id)
    assert caught.value.status_code == 404


def test_dictionaries(client):
    made = client.pronunciation_dictionaries.create_from_rules(
        name="SDK rules", rules=[PronunciationDictionaryAliasRuleRequestModel(
            type="alias", string_to_replace="VF", alias="voice flow")])
    assert made.version_rules_num == 1
    plain = b"".join(client.text_to_speech.convert("slt", text="VF", output_format="pcm_16000"))
    with_it = b"".join(client.text_to_speech.convert(
        "slt", text="VF", output_format="pcm_16000",
        pronunciation_dictionary_locators=[PronunciationDictionaryVersionLocator(
            pronunciation_dictionary_id=made.id, version_id=made.version_id)]))
    said = b"".join(client.text_to_speech.convert("slt", text="voice flow",
                                                  output_format="pcm_16000"))
    assert with_it != plain and abs(len(with_it) - len(said)) < 0.05 * len(said)
    changed = client.pronunciation_dictionaries.rules.add(
        made.id, rules=[PronunciationDictionaryAliasRuleRequestModel(
            type="alias", string_to_replace="API", alias="a p i")])
    assert changed.version_rules_num == 2 and changed.version_id != made.version_id
    fewer = client.pronunciation_dictionaries.rules.remove(made.id, rule_strings=["API"])
    assert fewer.version_rules_num == 1
    pls = b"".join(client.pronunciation_dictionaries.download(made.id, made.version_id))
    assert b"voice flow" in pls
    from_file = client.pronunciation_dictionaries.create_from_file(
        name="SDK file", file=("words.pls", PLS, "application/pls+xml"))
    assert from_file.version_rules_num == 1
    listed = client.pronunciation_dictionaries.list(page_size=50).pronunciation_dictionaries
    assert {made.id, from_file.id} <= {one.id for one in listed}
    rules = client.pronunciation_dictionaries.get(made.id).rules
    assert [rule.string_to_replace for rule in rules] == ["VF"]
    assert client.pronunciation_dictionaries.update(made.id, archived=True).archived_time_unix


def test_account(client):
    user = client.user.get()
    assert user.subscription.character_limit > 0
    assert client.user.subscription.get().tier == user.subscription.tier
    stats = client.usage.get(start_unix=1_795_000_000_000, end_unix=1_796_000_000_000)
    assert len(stats.time) == len(stats.usage["All"])


@pytest.mark.parametrize("voice, arguments, status, code", [
    ("nobody", {}, 404, "voice_not_found"),
    ("slt", {"text": ""}, 400, "empty_text"),
    ("slt", {"model_id": "gpt-9"}, 400, "unsupported_model"),
    ("slt", {"voice_settings": VoiceSettings(stability=2)}, 400, "invalid_voice_settings")])
def test_typed_errors(client, voice, arguments, status, code):
    with pytest.raises(ApiError) as caught:
        b"".join(client.text_to_speech.convert(voice, **{"text": "Hi.", **arguments}))
    assert caught.value.status_code == status
    assert caught.value.body["detail"]["code"] == caught.value.body["detail"]["status"] == code


def test_422_has_a_class_of_its_own(client):
    from elevenlabs.errors import UnprocessableEntityError
    with pytest.raises(UnprocessableEntityError) as caught:
        b"".join(client.text_to_speech.convert("slt", text=None))
    assert caught.value.status_code == 422


def test_a_wrong_key_is_401(server):
    stranger = ElevenLabs(base_url=server.url, api_key="vf_live_unknown")
    with pytest.raises(ApiError) as caught:
        stranger.voices.get_all()
    assert caught.value.status_code == 401
    assert caught.value.body["detail"]["code"] == "invalid_api_key"
