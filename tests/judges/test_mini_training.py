"""Training: from the seed, without the held-out words."""

import hashlib
from random import Random

import pytest

from replikk.judges.mini import training_text
from replikk.judges.mini.measure import heldout_lines
from replikk.judges.mini.text import normalise
from replikk.judges.mini.training import TrainingSettings, train_judge
from replikk.judges.mini.training_data import heldout_words, make_shard, read_shard, write_shard
from replikk.judges.mini.words import FUNCTION_WORDS, adjectives, nouns, verbs, vocabulary


def test_there_are_enough_heldout_lines_and_none_was_trained_on():
    lines = heldout_lines()
    assert len(set(lines)) >= 80
    assert all(len(normalise(line).split()) >= 4 for line in lines)
    assert not heldout_words() & vocabulary()


def test_forbidden_words_never_come_out():
    forbidden = vocabulary() - set(FUNCTION_WORDS)
    random = Random(1)
    for _ in range(30):
        assert forbidden.isdisjoint(normalise(training_text.draw_line(random, forbidden)).split())


def test_text_comes_from_the_seed_alone():
    def lines(seed):
        random = Random(seed)
        return [training_text.draw_line(random, frozenset()) for _ in range(50)]

    assert lines(4) == lines(4) != lines(5)


@pytest.mark.parametrize(
    "forms",
    [
        ("gutt", "gutten", "gutter", "guttene"),
        ("jente", "jenta", "jenter", "jentene"),
        ("rom", "rommet", "rom", "rommene"),
        ("lærer", "læreren", "lærere", "lærerne"),
        ("nøkkel", "nøkkelen", "nøkler", "nøklene"),
    ],
)
def test_nouns_are_inflected(forms):
    assert forms in {(n.singular, n.definite, n.plural, n.definite_plural) for n in nouns()}


@pytest.mark.parametrize(
    "forms",
    [
        ("kaste", "kaster", "kastet", "kastet", "kast"),
        ("spille", "spiller", "spilte", "spilt", "spill"),
        ("glemme", "glemmer", "glemte", "glemt", "glem"),
        ("prøve", "prøver", "prøvde", "prøvd", "prøv"),
    ],
)
def test_verbs_are_inflected(forms):
    assert forms in {(v.infinitive, v.present, v.past, v.participle, v.imperative) for v in verbs()}


def test_adjectives_are_inflected():
    assert {("fin", "fint", "fine"), ("ny", "nytt", "nye"), ("blå", "blått", "blå")} <= {
        (a.common, a.neuter, a.plural) for a in adjectives()
    }


def test_a_shard_comes_from_the_seed_alone(tmp_path):
    first = make_shard(1, 0, 6)
    again = read_shard(write_shard(1, 0, 6, tmp_path))
    assert first.features.tobytes() == again.features.tobytes()
    assert first.targets.tobytes() == again.targets.tobytes()
    assert first.features.tobytes() != make_shard(2, 0, 6).features.tobytes()
    assert first.frame_counts.sum() == len(first.features) and first.target_counts.sum() == len(first.targets)


def test_training_is_bit_reproducible(tmp_path):
    pytest.importorskip("torch")
    settings = TrainingSettings(shards=2, clips_per_shard=6, batch_clips=3, passes=1, channels=16, dilations=(1, 2))
    digests = []
    for name in ("once", "again"):
        target = tmp_path / name / "mini.safetensors"
        train_judge(tmp_path / name, 1, target, settings)
        digests.append(hashlib.sha256(target.read_bytes()).hexdigest())
    assert digests[0] == digests[1]
