"""How `data/trajectories.json` was made: by PyTorch 2.13.0, in float64, which the tests do not need.

    python -m venv build/torch && build/torch/bin/pip install torch==2.13.0
    build/torch/bin/python tests/nn/training/make_trajectories.py

Every optimizer moves three parameters for twelve steps down the same cost, whose gradient is written out here, so that
nothing but the optimizer is compared. Rates of schedules are those PyTorch would use in each of twelve epochs.
"""

import json
from pathlib import Path
from typing import Any

STEPS = 12
START = [1.5, -2.0, 0.25]
#: The settings by the names of ours; what PyTorch calls them is in `RENAMED`.
OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"learning_rate": 0.05},
        {"learning_rate": 0.02, "momentum": 0.9},
        {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True},
        {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        {"learning_rate": 0.05, "weight_decay": 0.3},
    ],
    "RMSprop": [
        {"learning_rate": 0.01},
        {"learning_rate": 0.02, "smoothing": 0.9, "epsilon": 1e-3, "momentum": 0.5},
        {"learning_rate": 0.02, "smoothing": 0.9, "weight_decay": 0.2},
    ],
    "Adagrad": [{"learning_rate": 0.3}, {"learning_rate": 0.3, "epsilon": 1e-2, "weight_decay": 0.2}],
    "Adam": [
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "betas": [0.8, 0.95], "epsilon": 1e-3},
        {"learning_rate": 0.05, "weight_decay": 0.2},
    ],
    "AdamW": [{"learning_rate": 0.05}, {"learning_rate": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.5}],
}
RENAMED = {"learning_rate": "lr", "smoothing": "alpha", "epsilon": "eps"}
#: What a loss might do: fall, stay, rise, fall.
LOSSES = [1.0, 0.8, 0.7, 0.7, 0.75, 0.7, 0.71, 0.5, 0.5, 0.5, 0.5, 0.5]


def gradient(p: list[float]) -> list[float]:
    """That of ½(p₀ - 1)² + 2(p₁ + p₀/2)² + ¼(p₂² - 1)², products and sums in this order."""
    a, b, c = p[0] - 1.0, p[1] + 0.5 * p[0], p[2] * p[2] - 1.0
    return [a + 2.0 * b, 4.0 * b, c * p[2]]


def trajectory(name: str, settings: dict[str, Any], clip: tuple[str, float] | None = None) -> list[list[float]]:
    """The parameters after each step."""
    import torch

    parameters = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in START]
    options = {RENAMED.get(key, key): value for key, value in settings.items()}
    optimizer = getattr(torch.optim, name)(parameters, **options, foreach=False)
    places = []
    for _ in range(STEPS):
        for p, g in zip(parameters, gradient([p.item() for p in parameters]), strict=True):
            p.grad = torch.tensor(g, dtype=torch.float64)
        if clip is not None and clip[0] == "value":
            torch.nn.utils.clip_grad_value_(parameters, clip[1])
        elif clip is not None:
            # torch.nn.utils.clip_grad_norm_ divides by the norm + 1e-6; here the 1e-6 is left out.
            norm = torch.linalg.vector_norm(torch.stack([p.grad for p in parameters]))
            for p in parameters:
                p.grad *= torch.clamp(clip[1] / norm, max=1.0)
        optimizer.step()
        places.append([p.item() for p in parameters])
    return places


def rates(make: Any, losses: list[float] | None = None) -> list[float]:
    """The learning rates of twelve epochs, the first one before any loss is known."""
    import torch

    parameter = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    schedule = make(optimizer)
    found = []
    for epoch in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([] if losses is None else [losses[epoch]]))
    return found


def main() -> None:
    """Write the file."""
    import torch
    from torch.optim import lr_scheduler as s

    runs = [
        {"optimizer": name, "settings": settings, "clip": None, "places": trajectory(name, settings)}
        for name, all_settings in OPTIMIZERS.items()
        for settings in all_settings
    ]
    for clip in (("value", 0.5), ("norm", 1.0)):
        settings = {"learning_rate": 0.2, "momentum": 0.5}
        places = trajectory("SGD", settings, clip)
        runs.append({"optimizer": "SGD", "settings": settings, "clip": list(clip), "places": places})

    def warm_then_cosine(optimizer: Any) -> Any:
        first = s.LinearLR(optimizer, start_factor=0.25, total_iters=3)
        return s.SequentialLR(optimizer, [first, s.CosineAnnealingLR(optimizer, T_max=8)], milestones=[4])

    schedules = {
        "step": rates(lambda o: s.StepLR(o, step_size=3, gamma=0.5)),
        "cosine": rates(lambda o: s.CosineAnnealingLR(o, T_max=12, eta_min=0.05)),
        "warm-up": rates(lambda o: s.LinearLR(o, start_factor=0.2, total_iters=4)),
        "warm-up, then cosine": rates(warm_then_cosine),
        "plateau": rates(lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=1), LOSSES),
    }
    document = {
        "made by": f"PyTorch {torch.__version__.partition('+')[0]}, float64",
        "start": START,
        "runs": runs,
        "rate": 0.5,
        "losses": LOSSES,
        "schedules": schedules,
    }
    path = Path(__file__).parent / "data" / "trajectories.json"
    text = json.dumps(document, separators=(",", ": ")).replace('{"optimizer"', '\n{"optimizer"')
    path.write_text(text + "\n", "utf-8")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
