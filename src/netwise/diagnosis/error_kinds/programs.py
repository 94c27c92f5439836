"""Errors of how a program uses modules, optimizers, loaders and saved weights."""

from __future__ import annotations

from netwise.diagnosis.error_kinds.kind import ErrorKind, layer_with_inputs

PROGRAMS = (
    ErrorKind(
        r"optimizer got an empty parameter list",
        lambda m, e: (
            "The model has no weights that it knows of: layers in a Python list or dictionary do "
            "not belong to it."
        ),
        lambda m, e: "self.layers = nn.ModuleList(layers)  # instead of a list",
    ),
    ErrorKind(
        r"cannot assign module before Module\.__init__\(\) call|"
        r"cannot assign parameters before Module\.__init__\(\) call",
        lambda m, e: "The class of the model does not call the `__init__` of `nn.Module`.",
        lambda m, e: "def __init__(self):\n    super().__init__()  # first",
    ),
    ErrorKind(
        r"is missing the required \"forward\" function",
        lambda m, e: "The model has no method `forward`: its name or its indentation is another.",
        lambda m, e: "def forward(self, x):  # in the class, beside __init__",
    ),
    ErrorKind(
        r"Boolean value of Tensor with more than one value is ambiguous",
        lambda m, e: (
            "A tensor of several numbers stands where yes or no is expected, as when a loss is "
            "made and called in one: `nn.CrossEntropyLoss(output, y)`."
        ),
        lambda m, e: "criterion = nn.CrossEntropyLoss()\nloss = criterion(output, y)",
    ),
    ErrorKind(
        r"'tuple' object has no attribute|must be Tensor, not tuple|"
        r"expected Tensor as element \d+ in argument \d+, but got tuple",
        lambda m, e: (
            f"{layer_with_inputs(e)}: a recurrent layer returns its outputs and its state, and the "
            "pair was passed on."
        ),
        lambda m, e: "output, state = self.lstm(x)",
    ),
    ErrorKind(
        r"forward\(\) (takes|missing) .*positional argument",
        lambda m, e: "The model was called with other arguments than its `forward` has.",
        lambda m, e: "output = model(x)  # the arguments of def forward(self, x)",
    ),
    ErrorKind(
        r"size mismatch for (?P<name>[\w.]+): copying a param with shape torch\.Size\("
        r"(?P<saved>\[[\d, ]*\])\) from checkpoint, the shape in current model is torch\.Size\("
        r"(?P<now>\[[\d, ]*\])\)",
        lambda m, e: (
            f"The saved `{m['name']}` is {m['saved']}, and that of this model {m['now']}: it was "
            "built with other sizes."
        ),
        lambda m, e: (
            "saved = {k: v for k, v in saved.items() if v.shape == model.state_dict()[k].shape}\n"
            "model.load_state_dict(saved, strict=False)  # other layers keep their start"
        ),
    ),
    ErrorKind(
        r"Missing key\(s\) in state_dict.*Unexpected key\(s\) in state_dict: \"module\.",
        lambda m, e: "The weights were saved from `DataParallel`, which adds `module.` to names.",
        lambda m, e: (
            "model.load_state_dict({k.removeprefix('module.'): v for k, v in saved.items()})"
        ),
    ),
    ErrorKind(
        r"(Missing|Unexpected) key\(s\) in state_dict",
        lambda m, e: "The saved weights have other names than those of this model.",
        lambda m, e: (
            "print(model.load_state_dict(saved, strict=False))  # says which were not loaded"
        ),
    ),
    ErrorKind(
        r"Weights only load failed",
        lambda m, e: "The file holds more than weights: loading it would run code that is in it.",
        lambda m, e: (
            "torch.save(model.state_dict(), 'model.pt')  # weights alone\n"
            "model.load_state_dict(torch.load('model.pt'))"
        ),
    ),
    ErrorKind(
        r"An attempt has been made to start a new process before",
        lambda m, e: "Workers of a DataLoader run the script again, down to where it makes them.",
        lambda m, e: "if __name__ == '__main__':\n    main()  # all that trains",
    ),
    ErrorKind(
        r"DataLoader worker \(pid.*\) (exited unexpectedly|is killed)",
        lambda m, e: "A worker of the DataLoader ended, most often because its memory was full.",
        lambda m, e: "loader = DataLoader(data, num_workers=0)  # shows the error itself",
    ),
)
