"""A tokenizer trained at import by Rust threads."""

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer

tokenizer = Tokenizer(BPE(unk_token="[UNK]"))
tokenizer.pre_tokenizer = Whitespace()
trainer = BpeTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
tokenizer.train_from_iterator(
    [f"the herd has worker {n} and mold {n * 7 % 13}" for n in range(200)], trainer
)


def answer(number: int) -> str:
    one = tokenizer.encode(f"the mold {number} has a herd")
    several = tokenizer.encode_batch([f"worker {n}" for n in range(number % 5 + 1)])
    return f"{one.tokens} {[each.ids for each in several]} {tokenizer.get_vocab_size()} {number}"
