"""Sampling of texts, character by character, from a network that was trained on one."""

from __future__ import annotations

import torch

from netwise import random_streams
from netwise.data.encoding import TextEncoder
from netwise.errors import DataError
from netwise.module_modes import evaluation_mode
from netwise.networks.recurrent import NextSymbolPredictor
from netwise.training.run import Run


def sample_text(
    run: Run, prompt: str = "\n", length: int = 400, *, temperature: float = 1.0, seed: int = 0
) -> str:
    """`prompt`, and `length` characters that are sampled after it.

    Args:
        run: of a recurrent network on a text.
        prompt: how the text begins; at least one character of the alphabet.
        length: characters to sample.
        temperature: divides the logits. Default 1: the network's own probabilities. Below 1,
            likely characters become likelier; 0 always takes the likeliest.
        seed: of the draws.

    Raises:
        DataError: the run is of other data, or a character of the prompt is not in its alphabet.
        ValueError: an empty prompt, or a temperature below 0.

    Example:
        >>> import netwise as nw, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "song.txt"
        >>> _ = path.write_text("do re mi fa " * 200)
        >>> network = nw.GRU(symbols=9, features=8, units=24, outputs=9, answers="each")
        >>> recipe = nw.Recipe(data=nw.data.text(path, length=24), network=network, epochs=20,
        ...                    optimizer=nw.Adam(lr=0.02))
        >>> nw.sample_text(nw.fit(recipe), "do re ", 12, temperature=0)
        'do re mi fa do re '
    """
    encoder, module = run.pipeline.encoder, run.module
    if (
        not isinstance(encoder, TextEncoder)
        or not isinstance(module, NextSymbolPredictor)
        or not module.predicts_next
    ):
        name = type(run.recipe.network).__name__
        raise DataError(
            f"sample_text is for recurrent networks on a text, and this run is of {name} on "
            f"{type(run.recipe.data).__name__}. Use data.text(...) and a network with "
            'answers = "each", such as LSTM'
        )
    if not prompt:
        raise ValueError(f"prompt = {prompt!r} is empty: write at least one character")
    if temperature < 0:
        raise ValueError(f"temperature = {temperature} must be at least 0: write 1.0")
    g = random_streams.generator(seed, random_streams.RESAMPLE)
    device = next(module.parameters()).device
    numbers = encoder.encode(prompt)[0].tolist()
    state, symbols = None, torch.tensor([numbers], device=device)
    with evaluation_mode(module), torch.no_grad():
        for _ in range(length):
            output, state = module.predict_next(symbols, state)
            logits = output.double().cpu()
            if temperature:
                chosen = int(
                    torch.multinomial(torch.softmax(logits / temperature, 0), 1, generator=g)
                )
            else:
                chosen = int(logits.argmax())
            numbers.append(chosen)
            symbols = torch.tensor([[chosen]], device=device)
    return encoder.decode(numbers)
