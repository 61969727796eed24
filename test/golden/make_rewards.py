"""Micro reward models with their values and gradients by pictures, computed by PyTorch and transformers.

    python make_rewards.py [--out DIR]        writes test/golden/rewards/

`clip/` is a whole CLIPModel in transformers' layout with its tokenizer, `head.safetensors` an aesthetic head, and
`openclip.safetensors` a two-tower model in OpenCLIP's layout, built here from PyTorch's own attention. `cases.safetensors` has
`pictures`, `weights`, and for every reward `<name>.value` [b] and `<name>.gradient` = d(sum_b weight_b R_b)/dpictures;
`bytes.<h>x<w>` are pictures as PIL stores them, `processed.<h>x<w>` what CLIP's own image processor makes of them.
"""

import argparse
import json
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Callable

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from micro_model import TOKENIZER, aesthetic_head, jolt

HERE = Path(__file__).parent
PROMPTS = ('a red fox in the snow', 'two cats, oil painting!')
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
SIZE = 28
EMBEDDING = 20
PICTURE_SIZES = ((40, 36), (90, 128), (20, 17))


def preprocess(pictures: Tensor) -> Tensor:
    """CLIP's processor in floating point: shorter side to SIZE by antialiased bicubic interpolation, centre crop, normalise."""
    height, width = pictures.shape[2:]
    short = min(height, width)
    size = (int(SIZE * height / short), int(SIZE * width / short))
    resized = pictures.clamp(0, 1)
    # As PIL does: along the width first, and no overshoot is left after either side.
    for step in ((height, size[1]), size):
        resized = F.interpolate(resized, step, mode='bicubic', antialias=True, align_corners=False).clamp(0, 1)
    top, left = (size[0] - SIZE) // 2, (size[1] - SIZE) // 2
    return (resized[:, :, top : top + SIZE, left : left + SIZE] - MEAN) / STD


class Block(nn.Module):
    """A residual attention block as OpenCLIP names its parts."""

    def __init__(self, width: int, heads: int, inner: int):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, inner), gelu=nn.GELU(), c_proj=nn.Linear(inner, width)))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, inner: int):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, inner) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Visual(nn.Module):
    def __init__(self, width: int, patch: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros((SIZE // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, 2, 2, 96)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, EMBEDDING))

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(pixels), 1, -1), patches], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(tokens))[:, 0]) @ self.proj


class OpenClip(nn.Module):
    """The two towers of OpenCLIP (ViT, exact gelu), with the names of its checkpoints."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.visual = Visual(128, 14)
        self.token_embedding = nn.Embedding(vocabulary, 64)
        self.positional_embedding = nn.Parameter(torch.zeros(77, 64))
        self.transformer = Transformer(64, 2, 1, 96)
        self.ln_final = nn.LayerNorm(64)
        self.text_projection = nn.Parameter(torch.zeros(64, EMBEDDING))
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def text(self, ids: Tensor) -> Tensor:
        mask = torch.full((77, 77), float('-inf')).triu(1)
        x = self.ln_final(self.transformer(self.token_embedding(ids) + self.positional_embedding, mask))
        return x[torch.arange(len(ids)), ids.argmax(1)] @ self.text_projection


def clip_model(vocabulary: int, end: int) -> CLIPModel:
    tower = dict(num_hidden_layers=2, projection_dim=EMBEDDING, hidden_act='gelu')
    return CLIPModel(CLIPConfig(
        text_config=dict(
            vocab_size=vocabulary, hidden_size=32, intermediate_size=48, num_attention_heads=2, max_position_embeddings=77,
            bos_token_id=end - 1, eos_token_id=end, pad_token_id=end, **tower),
        vision_config=dict(
            hidden_size=48, intermediate_size=64, num_attention_heads=3, image_size=SIZE, patch_size=7, **tower),
        projection_dim=EMBEDDING,
    ))


def save_clip(model: CLIPModel, folder: Path) -> None:
    folder.mkdir(parents=True)
    model.config.architectures = ['CLIPModel']
    model.config.save_pretrained(folder)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / 'model.safetensors')
    for file in TOKENIZER.iterdir():
        shutil.copy(file, folder / file.name)


def judged(pictures: Tensor, weights: Tensor, reward: Callable[[Tensor], Tensor], name: str) -> dict[str, Tensor]:
    """Value, and gradient of the weighted sum."""
    leaf = pictures.clone().requires_grad_()
    values = reward(leaf)
    (gradient,) = torch.autograd.grad((values * weights).sum(), leaf)
    return {f'{name}.value': values.detach(), f'{name}.gradient': gradient}


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


def draw_pictures(generator: torch.Generator, height: int, width: int) -> Tensor:
    """Soft shapes with some noise, reaching a little out of [0, 1]."""
    soft = F.interpolate(torch.rand(2, 3, 6, 6, generator=generator), (height, width), mode='bicubic')
    return (soft + 0.1 * torch.randn(2, 3, height, width, generator=generator)).clamp(-0.1, 1.1)


def processed(pictures: Tensor) -> dict[str, Tensor]:
    """A picture as bytes, and what the image processor, working on bytes with PIL, makes of it."""
    size = f'{pictures.shape[2]}x{pictures.shape[3]}'
    stored = (pictures[:1].clamp(0, 1) * 255).round().to(torch.uint8)
    image = Image.fromarray(stored[0].permute(1, 2, 0).numpy())
    processor = CLIPImageProcessorPil(size={'shortest_edge': SIZE}, crop_size={'height': SIZE, 'width': SIZE})
    return {f'bytes.{size}': stored, f'processed.{size}': processor(image, return_tensors='pt').pixel_values}


def make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(3)
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    vocabulary, end = len(tokenizer), tokenizer.eos_token_id

    clip = jolt(clip_model(vocabulary, end), torch.Generator().manual_seed(31)).eval()
    clip.logit_scale.data.fill_(2.5)
    save_clip(clip, folder / 'clip')
    head = jolt(aesthetic_head((EMBEDDING, 24, 12, 1)), torch.Generator().manual_seed(32)).eval()
    save_file({f'layers.{name}': tensor for name, tensor in head.state_dict().items()}, folder / 'head.safetensors')
    openclip = jolt(OpenClip(vocabulary), torch.Generator().manual_seed(33)).half().eval()
    openclip.logit_scale.data.fill_(3)
    (folder / 'openclip').mkdir()
    save_file({name: tensor.contiguous() for name, tensor in openclip.state_dict().items()}, folder / 'openclip' / 'openclip.safetensors')
    for file in TOKENIZER.iterdir():
        shutil.copy(file, folder / 'openclip' / file.name)
    openclip.float()

    pictures = draw_pictures(generator, *PICTURE_SIZES[0])
    weights = torch.tensor([0.7, -1.3])
    ids = tokenizer(list(PROMPTS), padding='max_length', max_length=77, truncation=True, return_tensors='pt').input_ids
    for model in (clip, openclip, head):
        model.requires_grad_(False)

    def embeddings(x: Tensor) -> tuple[Tensor, Tensor]:
        output = clip(input_ids=ids, pixel_values=preprocess(x))
        return output.image_embeds, output.text_embeds

    def cosine(x: Tensor) -> Tensor:
        image, text = embeddings(x)
        return (image * text).sum(-1)

    references = draw_pictures(generator, 33, 33)
    reference_embeddings = embeddings(references)[0]
    cases: dict[str, Tensor] = {'pictures': pictures, 'weights': weights, 'references': references}
    cases |= judged(pictures, weights, cosine, 'prompt-match')
    cases |= judged(pictures, weights, lambda x: clip.logit_scale.exp() * cosine(x), 'pick-score')
    cases |= judged(pictures, weights, lambda x: head(embeddings(x)[0])[:, 0], 'aesthetic')
    cases |= judged(pictures, weights, lambda x: (embeddings(x)[0] @ reference_embeddings.T).mean(1), 'likeness')
    cases |= judged(pictures, weights, lambda x: (unit(openclip.visual(preprocess(x))) * unit(openclip.text(ids))).sum(-1), 'hps-v2')
    for height, width in PICTURE_SIZES:
        cases |= processed(draw_pictures(generator, height, width))
    metadata = {'prompts': json.dumps(PROMPTS)}
    save_file({name: tensor.contiguous().clone() for name, tensor in cases.items()}, folder / 'cases.safetensors', metadata)
    for file in folder.rglob('*'):
        if file.is_file():
            file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
    print({name: tensor.tolist() for name, tensor in cases.items() if name.endswith('.value')}, f'{size / 2**20:.2f} MiB')
    assert set(load_file(folder / 'cases.safetensors')) == set(cases)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=HERE / 'rewards')
    make(parser.parse_args().out)
