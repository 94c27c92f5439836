"""Errors of types and devices: tensors that do not go together."""

from __future__ import annotations

from netwise.diagnosis.error_kinds.kind import ErrorKind, layer_with_inputs, named_tensors

TYPES = (
    ErrorKind(
        r"must have the same dtype, but got (?P<got>Double|double)|"
        r"Input type \(double\)|expected m1 and m2 to have the same dtype, but got: double|"
        r"Input and parameter tensors are not the same dtype, found input tensor with Double|"
        r"expected scalar type Float but found Double",
        lambda m, e: (
            f"{layer_with_inputs(e)} of type float64, as numpy's arrays have it, and the weights "
            "are float32."
        ),
        lambda m, e: "x = x.float()  # or array.astype('float32')",
    ),
    ErrorKind(
        r"Input type \((unsigned char|torch\.ByteTensor)\)|but got (Byte|unsigned char)|"
        r"must have the same dtype, but got (Long|Int|Byte)|but got: (long|int|unsigned char)|"
        r"Input type \((long|int|torch\.LongTensor)\)",
        lambda m, e: f"{layer_with_inputs(e)} of whole numbers, and the weights are float32.",
        lambda m, e: "x = x.float() / 255  # of pixels; x.float() of other numbers",
    ),
    ErrorKind(
        r"Expected tensor for argument #1 'indices' to have one of the following scalar types",
        lambda m, e: f"{layer_with_inputs(e)}: an embedding takes whole numbers.",
        lambda m, e: "x = x.long()",
    ),
    ErrorKind(
        r"IndexError: index out of range in self",
        lambda m, e: (
            f"{layer_with_inputs(e)}: a symbol is as large as the number of embeddings, or larger, "
            "or below 0."
        ),
        lambda m, e: "nn.Embedding(int(x.max()) + 1, width)  # over all data, padding included",
    ),
    ErrorKind(
        r"Expected all tensors to be on the same device|"
        r"Input type \(torch\.cuda|weight type \(torch\.cuda|"
        r"Placeholder storage has not been allocated on MPS device",
        lambda m, e: "Tensors are on different devices." + named_tensors(e),
        lambda m, e: (
            "model = model.to(device)  # before the optimizer is made\n"
            "x, y = x.to(device), y.to(device)  # each batch\n"
            "torch.zeros(n, device=x.device)  # what is made in a forward pass"
        ),
    ),
    ErrorKind(
        r"can't convert (cuda|mps|xpu)\S* device type tensor to numpy",
        lambda m, e: "A tensor on a device was made an array.",
        lambda m, e: "array = tensor.detach().cpu().numpy()",
    ),
    ErrorKind(
        r"out of memory|DefaultCPUAllocator: can't allocate memory|not enough memory",
        lambda m, e: "The memory does not hold the batch, its activations and the gradients.",
        lambda m, e: (
            "loader = DataLoader(data, batch_size=batch_size // 2)\n"
            "total += loss.item()  # a list of losses keeps the graphs of all steps"
        ),
    ),
)
