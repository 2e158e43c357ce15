"""What people may write under ``delivery`` in config.yaml, and what it does to the key of a clip."""

from dataclasses import fields, replace

import pytest

from replikk.audio.settings import _RANGES, _SWITCHES, BESIDE_THE_CLIPS, DeliverySettings, fingerprint


@pytest.mark.parametrize("mapping", [None, {}])
def test_nothing_written_means_the_defaults(mapping) -> None:
    assert DeliverySettings.from_mapping(mapping) == (DeliverySettings(), [])


def test_defaults_satisfy_their_own_rules() -> None:
    values = {field.name: getattr(DeliverySettings(), field.name) for field in fields(DeliverySettings)}
    assert DeliverySettings.from_mapping(values) == (DeliverySettings(), [])
    assert set(values) == {"format", *_RANGES, *_SWITCHES}


def test_values_are_taken_over() -> None:
    settings, problems = DeliverySettings.from_mapping(
        {"format": "wav", "sample_rate_hz": 48000, "target_lufs": -23, "dual_mono": True}
    )
    assert problems == []
    assert settings == DeliverySettings(format="wav", sample_rate_hz=48_000, target_lufs=-23.0, dual_mono=True)
    assert DeliverySettings.from_mapping({"sample_rate_hz": "native"}) == (DeliverySettings(), [])


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"format": "mp3"}, "delivery.format: 'mp3' cannot be used; write one of ogg-vorbis, ogg-opus, wav"),
        ({"target_lufs": "loud"}, "delivery.target_lufs: 'loud' cannot be used; write a number from -40 to -8"),
        ({"target_lufs": 18}, "write a number from -40 to -8"),
        ({"target_lufs": True}, "write a number"),
        ({"target_lufs": float("nan")}, "write a number"),
        ({"sample_rate_hz": 22050.5}, "write a whole number from 8000 to 48000, or native"),
        ({"sample_rate_hz": 96000}, "write a whole number from 8000 to 48000, or native"),
        ({"trim": "yes"}, "write true or false"),
        ({"taget_lufs": -18}, "delivery.taget_lufs: is not a setting; did you mean target_lufs?"),
        ({17: 1}, "is not a setting; use format"),
        ({"format": "ogg-opus", "sample_rate_hz": 44100}, "Opus has no 44100 Hz; write one of 8000, 12000"),
        ({"format": ["wav"]}, "write one of"),
        ("loud", "delivery: is a word; write 'key: value' lines"),
        ([1], "delivery: is a list"),
    ],
)
def test_mistakes_are_explained(mapping, message: str) -> None:
    _, problems = DeliverySettings.from_mapping(mapping)
    assert len(problems) == 1
    assert str(problems[0]).startswith("config.yaml delivery")
    assert message in str(problems[0])


def test_all_mistakes_at_once_and_the_rest_is_kept() -> None:
    settings, problems = DeliverySettings.from_mapping({"trim": 1, "fade_in_ms": -1, "target_lufs": -20})
    assert len(problems) == 2
    assert settings == DeliverySettings(target_lufs=-20.0)


@pytest.mark.parametrize("name", [f.name for f in fields(DeliverySettings) if f.name not in BESIDE_THE_CLIPS])
def test_every_setting_in_use_enters_the_fingerprint(name: str) -> None:
    settings = DeliverySettings(format="ogg-opus" if name == "opus_bitrate_bps" else "ogg-vorbis")
    changed = {"format": "wav", "sample_rate_hz": 24_000, "trim": False, "dual_mono": True}
    value = changed[name] if name in changed else getattr(settings, name) + 0.25
    assert fingerprint(replace(settings, **{name: value})) != fingerprint(settings)


def test_settings_of_another_codec_do_not() -> None:
    settings = DeliverySettings()
    assert fingerprint(replace(settings, opus_bitrate_bps=64_000)) == fingerprint(settings)


@pytest.mark.parametrize("name", BESIDE_THE_CLIPS)
def test_what_lies_beside_the_clips_does_not(name: str) -> None:
    settings = DeliverySettings()
    assert fingerprint(replace(settings, **{name: not getattr(settings, name)})) == fingerprint(settings)


@pytest.mark.parametrize(("file_format", "name"), [("ogg-vorbis", "libVorbis"), ("ogg-opus", "opus")])
def test_the_fingerprint_names_the_libraries(file_format: str, name: str) -> None:
    assert "libsndfile" in fingerprint(DeliverySettings(format=file_format))  # type: ignore[arg-type]
    assert name in fingerprint(DeliverySettings(format=file_format))  # type: ignore[arg-type]
