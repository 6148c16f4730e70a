"""Modules loaded lazily when their names are first used; without a framework or a model."""

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, PreTrainedTokenizerFast

words = {f"w{n}": n for n in range(60)} | {"[UNK]": 60, "[PAD]": 61}
inner = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]")


def answer(number: int) -> str:
    config = BertConfig(hidden_size=12 * (number + 1))
    lazily = transformers.GPT2Config(n_layer=number + 1)
    ids = tokenizer([f"w{number} x", "w1"], padding=True)["input_ids"]
    return f"{ids} {config.hidden_size} {lazily.n_layer} {lazily.model_type}"
