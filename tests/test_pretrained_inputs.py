"""Default inputs of transformers' models that have no line of their own: from what their parameters
and their processor say."""

import json

import pytest
from selection import slow_but

import costlab
from costlab.sources import load
from costlab.sources.run import trace_loaded

pytest.importorskip("transformers")
ONE = {"text_config": {"num_hidden_layers": 1}}


def runs(loaded):
    return costlab.total(costlab.trace(loaded.model, (), loaded.kwargs, device="meta")).macs > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "config, pixels, places",
    [
        # 16 x 16 patches of 2 frames of 3 x 16 x 16, of which 2 x 2 are merged into a token
        ("Qwen3VLConfig", (256, 2 * 3 * 16 * 16), 64),
        # (448 / 14)^2 patches, of which 2 x 2 are merged
        ("InternVLConfig", (1, 3, 448, 448), 256),
        # (512 / 16)^2 patches, of which 2 x 2 are merged
        ("Cohere2VisionConfig", (1, 3, 512, 512), 256),
    ],
)
def test_as_many_tokens_stand_for_an_image_as_the_model_makes_features(config, pixels, places):
    loaded = load(f"transformers:{config}", arguments=ONE)
    token = loaded.model.config.image_token_id
    assert tuple(loaded.kwargs["pixel_values"].shape) == pixels
    assert int((loaded.kwargs["input_ids"] == token).sum()) == places
    assert runs(loaded)


def test_a_vision_encoder_alone_gets_its_grid():
    loaded = load("transformers:Qwen3VLVisionConfig", arguments={"depth": 1})
    assert {n: tuple(t.shape) for n, t in loaded.kwargs.items()} == {
        "hidden_states": (256, 1536),
        "grid_thw": (1, 3),
    }
    assert runs(loaded)


@pytest.mark.parametrize(
    "config, arguments, given",
    [
        # 16 frames of 288 x 288
        (
            "VideoPrismVisionConfig",
            {"num_spatial_layers": 1},
            {"pixel_values_videos": (1, 16, 3, 288, 288)},
        ),
        ("SpeechT5HifiGanConfig", {}, {"spectrogram": (1, 1000, 80)}),
    ],
)
def test_clips_and_spectrograms_by_themselves(config, arguments, given):
    loaded = load(f"transformers:{config}", arguments=arguments)
    assert {n: tuple(t.shape) for n, t in loaded.kwargs.items()} == given
    assert runs(loaded)


def test_a_recording_has_as_many_tokens_as_features():
    """3,000 frames, of which the encoder halves the number, and a pool of two halves it again."""
    loaded = load(
        "transformers:AudioFlamingo3Config", arguments={"audio_config": {"num_hidden_layers": 1}}
    )
    assert tuple(loaded.kwargs["input_features"].shape) == (1, 128, 3000)
    assert tuple(loaded.kwargs["input_features_mask"].shape) == (1, 3000)
    token = loaded.model.config.audio_token_id
    assert int((loaded.kwargs["input_ids"] == token).sum()) == 750


def test_an_encoder_of_spectrograms_gets_a_mask():
    loaded = load("transformers:ParakeetEncoderConfig", arguments={"num_hidden_layers": 1})
    assert tuple(loaded.kwargs["input_features"].shape) == (1, 1000, 80)
    assert tuple(loaded.kwargs["attention_mask"].shape) == (1, 1000)
    assert runs(loaded)


RESNET = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8], "depths": [1]}
PROCESSORS = {
    "a crop": (
        "preprocessor_config.json",
        {"do_center_crop": True, "crop_size": 48, "size": {"shortest_edge": 64}},
        (48, 48),
    ),
    "a crop that is not made": (
        "preprocessor_config.json",
        {"do_center_crop": False, "crop_size": 48, "size": {"shortest_edge": 64}},
        (64, 64),
    ),
    "height and width": (
        "preprocessor_config.json",
        {"size": {"height": 32, "width": 96}},
        (32, 96),
    ),
    "of text and images": (
        "processor_config.json",
        {"image_processor": {"size": 40}},
        (40, 40),
    ),
    "no resizing": ("preprocessor_config.json", {"do_resize": False, "size": 40}, (224, 224)),
    "no processor": ("other.json", {"size": 40}, (224, 224)),
    "a size that depends on the image": (
        "preprocessor_config.json",
        {"size": {"longest_edge": 900}},
        (224, 224),
    ),
}


@pytest.mark.parametrize("of_folder", [False, True], ids=["file", "folder"])
@pytest.mark.parametrize("name, values, size", PROCESSORS.values(), ids=PROCESSORS)
def test_an_image_is_as_large_as_the_processor_makes_it(name, values, size, of_folder, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(RESNET))
    (tmp_path / name).write_text(json.dumps(values))
    loaded = load(f"transformers:{tmp_path if of_folder else tmp_path / 'config.json'}")
    assert tuple(loaded.kwargs["pixel_values"].shape) == (1, 3, *size)
    assert runs(loaded)


# configuration: (arguments, class of the model, shapes of the inputs)
BY_RULE = {
    # one tower of two, which no Auto class lists
    "AlignTextConfig": ({"num_hidden_layers": 1}, "AlignTextModel", {"input_ids": (1, 128)}),
    "CLIPSegVisionConfig": (
        {"num_hidden_layers": 1},
        "CLIPSegVisionModel",
        {"pixel_values": (1, 3, 224, 224)},
    ),
    # a model for one task
    "DepthAnythingConfig": (
        {},
        "DepthAnythingForDepthEstimation",
        {"pixel_values": (1, 3, 224, 224)},
    ),
    # 16 x 16 patches of 3 x 16 x 16, which are not merged
    "VideoLlama3VisionConfig": (
        {"num_hidden_layers": 1},
        "VideoLlama3VisionModel",
        {"pixel_values": (256, 768), "merge_sizes": (1,), "grid_thw": (1, 3)},
    ),
    # a codec of one channel at 16 kHz, and text alone where sound would need more beside it
    "DacConfig": ({}, "DacModel", {"input_values": (1, 1, 16000)}),
    "CsmConfig": ({}, "CsmForConditionalGeneration", {"input_ids": (1, 128)}),
    "BrosConfig": (
        {"num_hidden_layers": 1},
        "BrosModel",
        {"bbox": (1, 128, 4), "input_ids": (1, 128)},
    ),
}


@pytest.mark.parametrize(
    "config", slow_but({"DacConfig", "BrosConfig", "VideoLlama3VisionConfig"}, BY_RULE)
)
def test_configurations_by_rule(config):
    arguments, model, shapes = BY_RULE[config]
    loaded = load(f"transformers:{config}", arguments=arguments)
    assert type(loaded.model).__name__ == model
    assert {n: tuple(t.shape) for n, t in loaded.kwargs.items()} == shapes
    assert costlab.total(trace_loaded(loaded)).macs > 0


@pytest.mark.parametrize(
    "config, shapes",
    slow_but(
        ("CanaryConfig", "LlavaNextConfig", "Qwen3ASRConfig"),
        [
            # the encoder's bins; 10 s of frames
            (
                "CanaryConfig",
                {
                    "input_features": (1, 1000, 128),
                    "attention_mask": (1, 1000),
                    "decoder_input_ids": (1, 128),
                },
            ),
            # a convolution over time, whose channels are the bins
            ("GlmAsrConfig", {"input_features": (1, 128, 1000), "input_features_mask": (1, 1000)}),
            # an image of 336 x 672: two tiles, and one that shows all of it
            ("LlavaNextConfig", {"pixel_values": (1, 3, 3, 336, 336), "image_sizes": (1, 2)}),
            # whole windows of 2 x 50 frames
            (
                "Qwen3ASRConfig",
                {"input_features": (1, 128, 1000), "input_features_mask": (1, 1000)},
            ),
            (
                "DeepseekVLHybridConfig",
                {"pixel_values": (1, 3, 224, 224), "high_res_pixel_values": (1, 3, 1024, 1024)},
            ),
        ],
    ),
)
def test_encoders_of_other_names_say_the_shapes(config, shapes):
    loaded = load(f"transformers:{config}")
    found = {n: tuple(t.shape) for n, t in loaded.kwargs.items() if n != "input_ids"}
    assert found == shapes


@pytest.mark.parametrize(
    "config, line",
    [
        (
            "DecisionTransformerConfig",
            "needs --input, for example --input 1x3x224x224 or --input name=1x16:int64; its "
            "forward takes states, actions, rewards, returns_to_go, timesteps, attention_mask",
        ),
        (
            "EdgeTamMaskDecoderConfig",
            "configures a part that has no model of its own in transformers; name the "
            "configuration that contains it",
        ),
    ],
)
def test_what_has_no_default_input_says_what_to_give(config, line):
    with pytest.raises(costlab.sources.SourceError) as error:
        load(f"transformers:{config}")
    assert str(error.value).endswith(line)


def test_masks_of_ones_are_known_without_values():
    """BART asks whether any token is padding; no weights are made to answer that."""
    assert trace_loaded(load("transformers:BartConfig")).provenance["device"] == "meta"


SWEPT = [
    "Aimv2Vision",
    "Albert",
    "AltCLIP",
    "Apertus1p5Text",
    "Apertus",
    "AudioFlamingo3Encoder",
    "BailingHybrid",
    "Bamba",
    "Beam",
    "Beit",
    "Bert",
    "BertGeneration",
    "Bit",
    "BitNet",
    "Blip",
    "Bloom",
    "CLIP",
    "CLIPSeg",
    "CLIPText",
    "CLIPVision",
    "CTRL",
    "Camembert",
    "Canine",
    "ChineseCLIP",
    "ChineseCLIPVision",
    "CodeGen",
    "Cohere2",
    "Cohere2Moe",
    "Cohere2Vision",
    "CohereCompassVision",
    "Cohere",
    "ConditionalDetr",
    "ConvBert",
    "Cosmos3Edge",
    "Cosmos3EdgeVision",
    "CpmAnt",
    "Cvt",
    "Cwm",
    "DFine",
    "DINOv3ConvNext",
    "DINOv3ViT",
    "DPR",
    "DPT",
    "DabDetr",
    "Data2VecText",
    "Data2VecVision",
    "Deberta",
    "DeepseekV32",
    "DeepseekV3",
    "DeepseekV4",
    "DeepseekVL",
    "DeformableDetr",
    "DeiT",
    "Deimv2",
    "DiffLlama",
    "Dinov2WithRegisters",
    "DistilBert",
    "Doge",
    "DonutSwin",
    "Dory",
    "Dots3Note",
    "Dots3NoteText",
    "Electra",
    "EmbeddingGemma2Text",
    "Emu3",
    "Encodec",
    "EncoderDecoder",
    "Ernie4_5",
    "Ernie4_5_Moe",
    "Ernie4_5_VLMoe",
    "Ernie",
    "Esmc",
    "EuroBert",
    "Evolla",
    "Exaone4",
    "Exaone4_5_",
    "Exaone",
    "ExaoneMoe",
    "FNet",
    "FSMT",
    "Falcon",
    "FalconH1",
    "FalconMamba",
    "FastVlm",
    "Flaubert",
    "Flava",
    "FlavaImageCodebook",
    "FlexOlmo",
    "Flint",
    "FocalNet",
    "GLPN",
    "GPTBigCode",
    "GPTNeo",
    "GPTNeoXJapanese",
    "Gemma2",
    "Git",
    "Glm4",
    "Glm4MoeLite",
    "Glm",
    "GlmMoeDsa",
    "GlmOcr",
    "GotOcr2",
    "GptOss",
    "GradiumPhononTTS",
    "Granite",
    "GraniteMoe",
    "GraniteMoeHybrid",
    "GraniteMoeSWA",
    "GraniteMoeShared",
    "GraniteSWA",
    "GroupViT",
    "Gte",
    "HGNetV2",
    "HYV3",
    "HYV4",
    "Helium",
    "Hiera",
    "Hubert",
    "HyperCLOVAX",
    "IBert",
    "IJepa",
    "IQuestCoder",
    "ImageGPT",
    "InstructBlipQFormer",
    "InstructBlipVideoQFormer",
    "InternLM3",
    "Jais2",
    "Jamba",
    "JinaEmbeddingsV3",
    "KimiLinear",
    "Kolibri1",
    "Kosmos2_5",
    "Laguna",
    "LaraMini",
    "LasrCTC",
    "LayoutLM",
    "Levit",
    "Lfm2",
    "Lilt",
    "Llama",
    "Llava",
    "LongT5",
    "Luke",
    "MBart",
    "MMGroundingDino",
    "MPNet",
    "MT5",
    "Mamba2",
    "Mamba",
    "MarkupLM",
    "Mask2Former",
    "MaskFormerSwin",
    "Mellum",
    "MetaClip2",
    "Mgpstr",
    "MiMoV2Flash",
    "Mimi",
    "MiniCPM3",
    "MiniCPMOcr",
    "Mistral",
    "MobileViT",
    "ModernBert",
    "Mpt",
]


# what has to agree with the number of layers
OF_TWO_LAYERS = {"GPTNeo": {"attention_types": [[["global", "local"], 1]]}}


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEPT)
def test_configuration_classes_run_on_their_default_inputs(name):
    """With the defaults of the class, and two layers where it has a number of them."""
    import transformers

    kind = getattr(transformers, f"{name}Config", None)
    if kind is None:
        pytest.skip(f"transformers {transformers.__version__} has no {name}")
    layers = {
        n: 2 for n in ("num_hidden_layers", "num_layers") if isinstance(vars(kind()).get(n), int)
    }
    arguments = {**layers, **OF_TWO_LAYERS.get(name, {})}
    loaded = load(f"transformers:{name}Config", arguments=arguments)
    assert costlab.total(trace_loaded(loaded)).macs > 0
