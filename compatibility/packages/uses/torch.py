"""A model trained at import by one thread; gradients in each request, by several.

If OpenMP's threads were started before a fork, the child waits for them forever, under any server.
"""

import torch

torch.set_num_threads(1)
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
    torch.set_num_threads(2)
    rows = (inputs[number : number + 50] * 2).requires_grad_()
    out = model(rows)
    out.sum().backward()
    product = (rows @ rows.T).detach()
    top = torch.topk(out.flatten(), 3).indices.tolist()
    return f"{number} {out.mean():.4f} {rows.grad.sum():.4f} {product.trace():.3f} {top}"
