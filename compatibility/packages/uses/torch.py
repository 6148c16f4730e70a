"""A model trained at import on the processor, with OpenMP's threads; gradients in each request."""

import torch

torch.manual_seed(1)
inputs = torch.rand(200, 8)
wanted = inputs.sum(dim=1, keepdim=True)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(20):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(inputs), wanted)
    loss.backward()
    optimizer.step()
model.eval()


def answer(number: int) -> str:
    rows = (inputs[number : number + 50] * 2).requires_grad_()
    out = model(rows)
    out.sum().backward()
    product = (rows @ rows.T).detach()
    top = torch.topk(out.flatten(), 3).indices.tolist()
    return f"{number} {out.mean():.4f} {rows.grad.sum():.4f} {product.trace():.3f} {top}"
