import torch

from zoo import Batch, Data, TensorSplit, Vocab

ANIMALS, THINGS, VERBS = ["cat", "dog", "cow"], ["ball", "bone", "grass"], ["sees", "takes", "eats"]
FORMER, RESERVED = ["saw", "took", "ate"], ["<mask>", "<cls>", "<sep>", "the", "it"]


def sentence_pairs(size: int = 1600, reverse: bool = False, seed: int = 0) -> Data:
    """An animal does something with its thing, and did, or not, what comes before; `reverse` the order of the vocab."""
    vocab, tokens, rows = make(size, reverse, seed)
    train = TensorSplit(input=tokens[::2], next=rows[::2, 2], transform=mask)
    val = mask({"input": tokens[1::2], "next": rows[1::2, 2]}, torch.Generator().manual_seed(seed), epoch=1)
    facts = {"vocab_size": len(vocab), "num_classes": len(vocab)}
    return Data({"train": train, "val": TensorSplit(**val)}, facts, {"vocab": vocab.to_asset()})


def sentences(size: int = 400, reverse: bool = False, seed: int = 1) -> Data:
    """The first sentences of such pairs, with the animal of each as `label`."""
    vocab, tokens, rows = make(size, reverse, seed)
    train, val = (TensorSplit(input=tokens[at::2, :7], label=rows[at::2, 0]) for at in (0, 1))
    return Data({"train": train, "val": val}, {"vocab_size": len(vocab), "num_classes": 3}, {"vocab": vocab.to_asset()})


def mask(batch: Batch, generator: torch.Generator, epoch: int) -> Batch:
    tokens = batch["input"]
    drawn = torch.rand(tokens.shape, generator=generator, device=tokens.device) < (0.2 if epoch else 0.1)
    hidden = drawn & (tokens >= len(RESERVED))
    return {**batch, "input": tokens.masked_fill(hidden, 0), "words": tokens.masked_fill(~hidden, -100)}


def make(size: int, reverse: bool, seed: int) -> tuple[Vocab, torch.Tensor, torch.Tensor]:
    vocab = Vocab([*RESERVED, *[*ANIMALS, *THINGS, *VERBS, *FORMER][:: -1 if reverse else 1]])
    rows = torch.randint(6, (size, 3), generator=torch.Generator().manual_seed(seed)) // torch.tensor([2, 2, 3])
    text = "<cls> the {} {} the {} <sep> it {} it <sep>"
    texts = [text.format(ANIMALS[a], VERBS[v], THINGS[a], FORMER[(v + n) % 3]) for a, v, n in rows.tolist()]
    return vocab, torch.tensor([vocab.encode(text.split()) for text in texts]), rows
