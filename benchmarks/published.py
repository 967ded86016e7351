"""Published networks that no library has, of the kinds that those for images lack: recurrent ones,
1-D ones for sound, decoders. For `collect_shapes.py`, which needs the sizes of their layers; what
has no sizes of its own, such as dropout, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

Network = tuple[nn.Module, tuple[Tensor, ...]]


class _Outputs(nn.Module):
    """A recurrent layer without its state."""

    def __init__(self, layer: nn.RNNBase):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class _Transposed(nn.Module):
    """The last two dimensions exchanged."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(-1, -2)


def _tokens(length: int) -> tuple[Tensor]:
    return (torch.zeros(1, length, dtype=torch.long),)


def lstm_language_model() -> Network:
    """Zaremba et al. 2014, the medium one: 650 units, 35 steps, the 10,000 words of the Penn
    Treebank."""
    lstm = _Outputs(nn.LSTM(650, 650, num_layers=2, batch_first=True))
    return nn.Sequential(nn.Embedding(10_000, 650), lstm, nn.Linear(650, 10_000)), _tokens(35)


def awd_lstm() -> Network:
    """Merity et al. 2017 on WikiText-2: three layers, the last as wide as the embedding."""
    sizes = ((400, 1150), (1150, 1150), (1150, 400))
    lstms = [_Outputs(nn.LSTM(*pair, batch_first=True)) for pair in sizes]
    model = nn.Sequential(nn.Embedding(33_278, 400), *lstms, nn.Linear(400, 33_278))
    return model, _tokens(70)


def translation_encoder() -> Network:
    """Bahdanau et al. 2014, RNNsearch-50: a bidirectional GRU of 1000 units over 50 words."""
    gru = _Outputs(nn.GRU(620, 1000, batch_first=True, bidirectional=True))
    return nn.Sequential(nn.Embedding(30_000, 620), gru), _tokens(50)


def speech_encoder() -> Network:
    """Shen et al. 2018, Tacotron 2's encoder: three convolutions over characters, then an LSTM of
    256 units in both directions."""
    convolutions = [
        layer
        for _ in range(3)
        for layer in (nn.Conv1d(512, 512, 5, padding=2), nn.BatchNorm1d(512), nn.ReLU())
    ]
    lstm = _Outputs(nn.LSTM(512, 256, batch_first=True, bidirectional=True))
    model = nn.Sequential(nn.Embedding(148, 512), _Transposed(), *convolutions, _Transposed(), lstm)
    return model, _tokens(100)


def text_recognizer() -> Network:
    """Shi et al. 2015, CRNN: table 1, from the bottom up, on a line of 32 x 100."""
    plan: Sequence[tuple[int, int, bool, nn.Module]] = (
        (1, 64, False, nn.MaxPool2d(2)),
        (64, 128, False, nn.MaxPool2d(2)),
        (128, 256, False, nn.Identity()),
        (256, 256, False, nn.MaxPool2d((2, 1))),
        (256, 512, True, nn.Identity()),
        (512, 512, True, nn.MaxPool2d((2, 1))),
    )
    layers: list[nn.Module] = []
    for inner, outer, normalized, pool in plan:
        layers += [nn.Conv2d(inner, outer, 3, padding=1)]
        layers += [nn.BatchNorm2d(outer)] if normalized else []
        layers += [nn.ReLU(), pool]
    columns = [nn.Conv2d(512, 512, 2), nn.ReLU(), nn.Flatten(2), _Transposed()]
    lstm = _Outputs(nn.LSTM(512, 256, num_layers=2, batch_first=True, bidirectional=True))
    model = nn.Sequential(*layers, *columns, lstm, nn.Linear(512, 37))
    return model, (torch.zeros(1, 1, 32, 100),)


def music_unmixer() -> Network:
    """Stoeter et al. 2019, Open-Unmix: 255 frames of 1487 bands in stereo, three bidirectional
    layers of 256 units, 2049 bands out."""
    encoder = (nn.Linear(2974, 512, bias=False), nn.Tanh())
    lstm = _Outputs(nn.LSTM(512, 256, num_layers=3, batch_first=True, bidirectional=True))
    decoder = (nn.Linear(512, 512, bias=False), nn.ReLU(), nn.Linear(512, 4098, bias=False))
    return nn.Sequential(*encoder, lstm, *decoder), (torch.zeros(1, 255, 2974),)


def waveform_unmixer() -> Network:
    """Defossez et al. 2019, Demucs: six layers of stride 4 down and up, and an LSTM between, on
    two seconds in stereo. Without the connections across, which add what was there."""
    widths = [2, 64, 128, 256, 512, 1024, 2048]
    down: list[nn.Module] = []
    up: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        down += [nn.Conv1d(inner, outer, 8, 4), nn.ReLU()]
        down += [nn.Conv1d(outer, 2 * outer, 1), nn.GLU(1)]
        mixed = [nn.Conv1d(outer, 2 * outer, 3, padding=1), nn.GLU(1)]
        if inner == 2:
            enlarged = [nn.ConvTranspose1d(outer, 4 * inner, 8, 4)]  # four sources
        else:
            enlarged = [nn.ConvTranspose1d(outer, inner, 8, 4), nn.ReLU()]
        up = [*mixed, *enlarged, *up]
    lstm = _Outputs(nn.LSTM(2048, 2048, num_layers=2, batch_first=True, bidirectional=True))
    between = [_Transposed(), lstm, nn.Linear(4096, 2048), _Transposed()]
    return nn.Sequential(*down, *between, *up), (torch.zeros(1, 2, 88_200),)


class _Separable(nn.Module):
    """A block of Conv-TasNet's separator: 128 -> 512 -> 128 channels, depthwise between."""

    def __init__(self, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv1d(128, 512, 1), nn.PReLU(), nn.GroupNorm(1, 512)),
            nn.Conv1d(512, 512, 3, padding=dilation, dilation=dilation, groups=512),
            *(nn.PReLU(), nn.GroupNorm(1, 512), nn.Conv1d(512, 128, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def speech_separator() -> Network:
    """Luo and Mesgarani 2019, Conv-TasNet (N=512, L=16, B=128, H=512, P=3, X=8, R=3) on four
    seconds at 8 kHz; one speaker's mask."""
    blocks = [_Separable(2**x) for _ in range(3) for x in range(8)]
    model = nn.Sequential(
        *(nn.Conv1d(1, 512, 16, 8, bias=False), nn.ReLU()),
        *(nn.GroupNorm(1, 512), nn.Conv1d(512, 128, 1), *blocks),
        *(nn.PReLU(), nn.Conv1d(128, 512, 1), nn.Sigmoid()),
        nn.ConvTranspose1d(512, 1, 16, 8, bias=False),
    )
    return model, (torch.zeros(1, 1, 32_000),)


def image_generator() -> Network:
    """Radford et al. 2015, DCGAN's generator, figure 1: from 100 numbers to 64 x 64."""
    layers: list[nn.Module] = [nn.ConvTranspose2d(100, 1024, 4), nn.BatchNorm2d(1024), nn.ReLU()]
    for width in (1024, 512, 256):
        layers += [nn.ConvTranspose2d(width, width // 2, 5, 2, 2, 1)]
        layers += [nn.BatchNorm2d(width // 2), nn.ReLU()]
    layers += [nn.ConvTranspose2d(128, 3, 5, 2, 2, 1), nn.Tanh()]
    return nn.Sequential(*layers), (torch.zeros(1, 100, 1, 1),)


class _UNet(nn.Module):
    """Two convolutions without padding on each of several scales, joined with what was cropped of
    the same scale on the way down."""

    def __init__(self, channels: int, widths: Sequence[int], classes: int):
        super().__init__()
        pairs = pairwise([channels, *widths])
        self.down = nn.ModuleList(self._convolutions(a, b) for a, b in pairs)
        self.pool = nn.MaxPool2d(2)
        above = list(pairwise(widths[::-1]))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in above)
        self.up = nn.ModuleList(self._convolutions(2 * b, b) for _, b in above)
        self.last = nn.Conv2d(widths[0], classes, 1)

    def _convolutions(self, inner: int, outer: int) -> nn.Module:
        second = (nn.Conv2d(outer, outer, 3), nn.ReLU())
        return nn.Sequential(nn.Conv2d(inner, outer, 3), nn.ReLU(), *second)

    def forward(self, x: Tensor) -> Tensor:
        scales: list[Tensor] = []
        for convolutions in self.down:
            x = convolutions(self.pool(x) if scales else x)
            scales.append(x)
        for enlarge, convolutions, across in zip(
            self.enlarge, self.up, scales[-2::-1], strict=True
        ):
            x = enlarge(x)
            edge = (across.shape[-1] - x.shape[-1]) // 2
            cropped = across[..., edge : edge + x.shape[-2], edge : edge + x.shape[-1]]
            x = convolutions(torch.cat([cropped, x], dim=1))
        return self.last(x)


def cell_segmenter() -> Network:
    """Ronneberger et al. 2015, U-Net, figure 1: 572 x 572 to 388 x 388."""
    return _UNet(1, (64, 128, 256, 512, 1024), 2), (torch.zeros(1, 1, 572, 572),)


def video_features() -> Network:
    """Tran et al. 2015, C3D: eight 3x3x3 convolutions on 16 frames of 112 x 112, figure 3."""
    widths = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512)
    layers: list[nn.Module] = []
    inner = 3
    for width in widths:
        if isinstance(width, str):
            layers += [nn.MaxPool3d((1, 2, 2) if inner == 64 else 2)]
        else:
            layers += [nn.Conv3d(inner, width, 3, padding=1), nn.ReLU()]
            inner = width
    return nn.Sequential(*layers), (torch.zeros(1, 3, 16, 112, 112),)


NETWORKS: tuple[Callable[[], Network], ...] = (
    *(lstm_language_model, awd_lstm, translation_encoder, speech_encoder, text_recognizer),
    *(music_unmixer, waveform_unmixer, speech_separator),
    *(image_generator, cell_segmenter, video_features),
)
