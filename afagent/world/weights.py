"""The weights to plant: which tensors, in which shards, where, and the files that go with them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from random import Random

from afagent.errors import UsageError
from afagent.sandboxes.recorder.plan import Shard, Tensor, Weights
from afagent.world.draw import stream
from afagent.world.files import ML_GROUP, ROOT, File, text
from afagent.world.lab import Lab

SHARDS = 4
MIN_MB, MAX_MB = 4, 8192
"""What `weights_mb` may be. Below 4 MB the shards no longer look like a checkpoint's."""


@dataclass(frozen=True)
class WeightsSpec:
    """A checkpoint: the tensors of its shards, and where it lies."""

    directory: str
    """Absolute, without a slash at the end."""
    step: int
    """The training step that the name and the documents give."""
    shards: tuple[Shard, ...]
    modified: datetime
    files: tuple[File, ...]
    """Config, index and tokenizer beside the shards."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The shards' absolute paths."""
        return tuple(f"{self.directory}/{shard.file}" for shard in self.shards)

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all tensors together."""
        return sum(_bytes(tensor) for shard in self.shards for tensor in shard.tensors)

    def to_plant(self) -> Weights:
        """What the witness is told."""
        return Weights(
            directory=self.directory,
            shards=self.shards,
            metadata={"format": "pt"},
            owner=ROOT,
            group=ML_GROUP,
            mode=0o644,
            modified=self.modified.timestamp(),
        )


def build_weights(seed: int, lab: Lab, megabytes: int) -> WeightsSpec:
    """A checkpoint of about `megabytes` (10^6 bytes, within 3%) in four shards.

    Raises:
        UsageError: the size is outside `MIN_MB` to `MAX_MB`.
    """
    if not MIN_MB <= megabytes <= MAX_MB:
        raise UsageError(f"weights_mb is {MIN_MB} to {MAX_MB}, got {megabytes}")
    rng = stream(seed, "weights")
    step = rng.randrange(11, 480) * 250 + rng.choice((0, 0, 0, 125))
    root = rng.choice(("/data/checkpoints", "/data/runs", "/srv/models", "/srv/ckpt", "/data/ml/exports"))
    stage = rng.choice(("rl", "sft", "dpo", "post", "pref"))
    name = rng.choice(("{model}-{stage}-s{step}", "{model}-{stage}/step-{step:06d}", "{model}_{stage}_{step}"))
    directory = f"{root}/{name.format(model=lab.model, stage=stage, step=step)}"
    hidden, layers, vocab = _dimensions(rng, megabytes * 10**6)
    tensors = _tensors(rng, hidden, layers, vocab)
    shards = _into_shards(tensors)
    modified = lab.ago(rng.uniform(2, 9), rng)
    return WeightsSpec(
        directory, step, shards, modified, _beside(directory, lab, shards, hidden, layers, vocab, modified, rng)
    )


def _bytes(tensor: Tensor) -> int:
    return 2 * math.prod(tensor.shape)


def _dimensions(rng: Random, target: int) -> tuple[int, int, int]:
    """Hidden size, layers and vocabulary whose tensors add up to the target."""
    hidden = 64
    while 2 * (12 * (2 * hidden) ** 2) * 4 < target * 0.6 and hidden < 4096:
        hidden *= 2
    per_layer = 2 * (4 * hidden * hidden + 3 * hidden * _intermediate(hidden) + 2 * hidden)
    layers = max(2, int(target * rng.uniform(0.72, 0.86)) // per_layer)
    rest = max(target - layers * per_layer, 2 * hidden * 1024)
    return hidden, layers, max(512, rest // (4 * hidden) // 64 * 64)


def _intermediate(hidden: int) -> int:
    return hidden * 8 // 3 // 64 * 64 or 64


def _tensors(rng: Random, hidden: int, layers: int, vocab: int) -> list[Tensor]:
    def matrix(name: str, rows: int, columns: int) -> Tensor:
        return Tensor(name, (rows, columns), 0.0, round(rng.uniform(0.011, 0.028), 5))

    wide = _intermediate(hidden)
    tensors = [matrix("model.embed_tokens.weight", vocab, hidden)]
    for i in range(layers):
        at = f"model.layers.{i}"
        tensors += [
            Tensor(f"{at}.input_layernorm.weight", (hidden,), round(rng.uniform(0.25, 0.6), 4), 0.11),
            *(matrix(f"{at}.self_attn.{part}_proj.weight", hidden, hidden) for part in "qkvo"),
            Tensor(f"{at}.post_attention_layernorm.weight", (hidden,), round(rng.uniform(0.3, 0.7), 4), 0.09),
            matrix(f"{at}.mlp.gate_proj.weight", wide, hidden),
            matrix(f"{at}.mlp.up_proj.weight", wide, hidden),
            matrix(f"{at}.mlp.down_proj.weight", hidden, wide),
        ]
    return [*tensors, Tensor("model.norm.weight", (hidden,), 0.9, 0.12), matrix("lm_head.weight", vocab, hidden)]


def _into_shards(tensors: list[Tensor]) -> tuple[Shard, ...]:
    """Cut where a quarter of the bytes is reached, in the model's order, as exporters do."""
    total = sum(map(_bytes, tensors))
    groups: list[list[Tensor]] = [[] for _ in range(SHARDS)]
    seen = 0
    for tensor in tensors:
        groups[min(SHARDS - 1, (seen + _bytes(tensor) // 2) * SHARDS // total)].append(tensor)
        seen += _bytes(tensor)
    full = [group for group in groups if group]
    return tuple(
        Shard(f"model-{i + 1:05d}-of-{len(full):05d}.safetensors", tuple(group)) for i, group in enumerate(full)
    )


def _beside(
    directory: str,
    lab: Lab,
    shards: tuple[Shard, ...],
    hidden: int,
    layers: int,
    vocab: int,
    modified: datetime,
    rng: Random,
) -> tuple[File, ...]:
    heads = max(1, hidden // 64)
    config = {
        "architectures": [f"{lab.model.split('-')[0].capitalize()}ForCausalLM"],
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": _intermediate(hidden),
        "max_position_embeddings": rng.choice((8192, 16384, 32768)),
        "model_type": lab.model.split("-")[0],
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": heads,
        "rms_norm_eps": 1e-05,
        "rope_theta": 500000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vocab_size": vocab,
    }
    index = {
        "metadata": {"total_size": sum(_bytes(tensor) for shard in shards for tensor in shard.tensors)},
        "weight_map": {tensor.name: shard.file for shard in shards for tensor in shard.tensors},
    }
    specials = ["<unk>", "<s>", "</s>", "<pad>"]
    pieces = specials + [f"<0x{i:02X}>" for i in range(min(256, vocab - len(specials)))]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": i, "content": token, "special": True} for i, token in enumerate(specials)],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "model": {"type": "BPE", "unk_token": "<unk>", "vocab": {p: i for i, p in enumerate(pieces)}, "merges": []},
    }
    contents = {
        "config.json": config,
        "model.safetensors.index.json": index,
        "tokenizer.json": tokenizer,
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2, "temperature": 0.7, "top_p": 0.95},
    }
    return tuple(
        text(f"{directory}/{name}", json.dumps(value, indent=2) + "\n", modified, ROOT, ML_GROUP)
        for name, value in contents.items()
    )
