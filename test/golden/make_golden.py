"""Makes golden folders, or recomputes the outputs of existing ones.

    python make_golden.py sd21-micro sdxl-micro      writes test/golden/<name>/ with cases.safetensors
    python make_golden.py --verify sd15-micro …      relative error of every output against PyTorch here
    python make_golden.py --verify --float64 …       the same in double precision: how well conditioned the cases are
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import micro_model
from cases import GROUPS, Cases, groups_of
from configurations import CONFIGURATIONS

HERE = Path(__file__).parent


def make(name: str, folder: Path) -> None:
    """Writes the model, loads it back as stored, and computes its cases."""
    micro = CONFIGURATIONS[name]
    micro_model.save(micro, micro_model.build(micro), folder)
    model = micro_model.load(folder)
    generator = torch.Generator().manual_seed(micro.seed)
    cases: Cases = {}
    for group in groups_of(micro):
        cases |= group.inputs(micro, model, cases, generator)
        cases |= group.outputs(model, cases)
        cases = {key: tensor.detach().contiguous() for key, tensor in cases.items()}
    # clone: safetensors refuses tensors that share memory
    save_file({key: tensor.clone() for key, tensor in sorted(cases.items())}, folder / 'cases.safetensors')
    make_readable(folder)
    size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
    print(f'{name}: {len(cases)} tensors, {size / 2**20:.1f} MiB')


def make_readable(folder: Path) -> None:
    """safetensors writes files that only their owner may read; a checkout should not depend on that."""
    for file in folder.rglob('*.safetensors'):
        file.chmod(0o644)


def tolerance(name: str) -> float:
    """1e-4 for single evaluations and their VJPs, 1e-3 for whole chains and rlr.*."""
    return 1e-3 if name.startswith(('ddim.', 'reward.', 'rlr.')) else 1e-4


def relative_error(ours: Tensor, reference: Tensor) -> float:
    return float((ours.double() - reference.double()).norm() / reference.double().norm())


def verify(folder: Path, dtype: torch.dtype) -> bool:
    """Prints the relative error of every output (per family of names, the worst one) and returns whether all hold."""
    model = micro_model.load(folder, dtype)
    stored = load_file(folder / 'cases.safetensors')
    cases = {key: tensor.to(dtype) if tensor.is_floating_point() else tensor for key, tensor in stored.items()}
    worst: dict[str, tuple[float, str]] = {}
    for group in (group for group in GROUPS if group.applies(cases)):
        for name, tensor in group.outputs(model, cases).items():
            error = relative_error(tensor.detach(), stored[name])
            family = name if name.count('.') < 3 else '.'.join(name.split('.')[:2]) + '.*'
            worst[family] = max(worst.get(family, (0.0, name)), (error, name))
    holds = True
    for family, (error, name) in worst.items():
        good = error <= tolerance(name)
        holds = holds and good
        print(f'{folder.name:18} {family:34} {error:.1e} {"ok" if good else "TOO LARGE " + name}')
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='+', help=f'configurations ({", ".join(CONFIGURATIONS)}), or folders with --verify')
    parser.add_argument('--verify', action='store_true')
    parser.add_argument('--float64', action='store_true')
    parser.add_argument('--out', type=Path, default=HERE, help='where the folders are written')
    options = parser.parse_args()
    if not options.verify:
        for name in options.names:
            make(name, options.out / name)
        return 0
    dtype = torch.float64 if options.float64 else torch.float32
    folders = [Path(name) if Path(name).is_dir() else HERE / name for name in options.names]
    return 0 if all([verify(folder, dtype) for folder in folders]) else 1


if __name__ == '__main__':
    sys.exit(main())
