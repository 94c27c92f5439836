"""The small recipes that are trained, as TOML: files keep their words when names in Python change.

Files that a recipe names are written by `golden.files` into the folder the cases run in.
"""

from __future__ import annotations

FEW = 'data = {kind = "digits", valid = 0.4, test = 0.4}'  # 360 to train on
FEWER = 'data = {kind = "digits", valid = 0.45, test = 0.45}'  # 180
BITS = 'data = {kind = "digits", valid = 0.3, test = 0.3}\npreprocess = [{kind = "Binarise"}]'
BIG = 'preprocess = [{kind = "Resize", height = 16, width = 16}]'
MLP = 'network = {kind = "MLP", widths = [64, 24, 16, 10]}'
ADAM = 'optimizer = {kind = "Adam", lr = 0.005}'

# Networks that learn targets.
_NETWORKS = {
    "mlp": f"""
        data = "digits"
        {MLP}
        epochs = 4""",
    "mlp_dropout_norm": f"""
        {FEW}
        init = "He"
        epochs = 4
        [network]
        kind = "MLP"
        widths = [64, 30, 30, 10]
        activation = {{kind = "Maxout", pieces = 3}}
        batch_norm = true
        dropout = 0.3
        input_dropout = 0.1""",
    "mlp_residual": f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 20, 20, 10], residual = true, drop_connect = 0.3}}
        init = {{kind = "Uniform", reach = 0.2}}
        optimizer = "Adadelta"
        epochs = 3""",
    "convnet": f"""
        {FEW}
        optimizer = "NAdam"
        penalty = {{kind = "MaxNorm", norm = 1.0}}
        epochs = 2
        [network]
        kind = "ConvNet"
        image = [1, 8, 8]
        channels = [8, 16]
        activation = "PReLU" """,
    "convnet_means": f"""
        {FEW}
        preprocess = ["Standardise"]
        init = "LSUV"
        epochs = 2
        [network]
        kind = "ConvNet"
        image = [1, 8, 8]
        channels = [8, 8]
        convs = 2
        drop_channels = true
        means = true""",
    "lenet5": f"""
        {FEWER}
        preprocess = [{{kind = "Resize", height = 28, width = 28}}, "Standardise"]
        network = "LeNet5"
        optimizer = "AdamW"
        epochs = 2""",
    "lenet5_paper": f"""
        {FEWER}
        preprocess = [{{kind = "Resize", height = 28, width = 28}}]
        network = "LeNet5Paper"
        optimizer = {{kind = "SGD", lr = 0.01}}
        epochs = 1""",
    "alexnet": f"""
        {FEWER}
        {BIG}
        batch_size = 60
        epochs = 1
        [network]
        kind = "AlexNet"
        image = [1, 16, 16]
        classes = 10
        width = 0.1
        towers = true""",
    "vgg": f"""
        {FEWER}
        {BIG}
        optimizer = "Adagrad"
        batch_size = 60
        epochs = 1
        [network]
        kind = "VGG"
        depth = 11
        image = [1, 16, 16]
        classes = 10
        width = 0.05
        batch_norm = true""",
    "googlenet": f"""
        {FEWER}
        {BIG}
        optimizer = "RMSProp"
        batch_size = 60
        epochs = 1
        network = {{kind = "GoogLeNet", image = [1, 16, 16], classes = 10, width = 0.1}}""",
    "resnet": f"""
        {FEWER}
        {BIG}
        optimizer = "RAdam"
        batch_size = 60
        epochs = 1
        network = {{kind = "ResNet", image = [1, 16, 16], classes = 10, width = 0.1}}""",
    "cifar_resnet": f"""
        {FEWER}
        optimizer = {{kind = "SGD", lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4}}
        schedule = {{kind = "Milestones", epochs = [1]}}
        epochs = 2
        [network]
        kind = "CIFARResNet"
        depth = 8
        image = [1, 8, 8]
        order = "before"
        stochastic_depth = 0.3""",
    "elman_rows": f"""
        {FEW}
        network = {{kind = "ElmanRNN", features = 8, units = 12}}
        init = {{kind = "Orthogonal"}}
        clip = {{kind = "Clip", norm = 0.5}}
        epochs = 3""",
    "lstm_rows": f"""
        {FEW}
        network = {{kind = "LSTM", features = 8, units = 12, layers = 2, dropout = 0.2}}
        init = "LeCun"
        optimizer = "AMSGrad"
        clip = {{kind = "ClipValue", value = 0.1}}
        epochs = 3""",
    "gru_adding": """
        data = {kind = "adding", length = 12, samples = 400}
        network = {kind = "GRU", features = 2, units = 8, outputs = 1}
        loss = "MeanSquaredError"
        optimizer = {kind = "Adam", lr = 0.01}
        epochs = 3""",
    "lstm_copying": """
        data = {kind = "copying", word = 2, wait = 4, letters = 4, samples = 200}
        optimizer = {kind = "Adam", lr = 0.01}
        epochs = 3
        [network]
        kind = "LSTM"
        symbols = 6
        features = 6
        units = 16
        outputs = 6
        answers = "each" """,
    "gru_text_stream": """
        data = {kind = "text", path = "text.txt", length = 20, in_order = true, test = 0.1}
        epochs = 2
        batch_size = 8
        [network]
        kind = "GRU"
        symbols = 28
        features = 10
        units = 12
        outputs = 28
        answers = "each"
        carry = true""",
    "lstm_text_stream": """
        data = {kind = "text", path = "text.txt", length = 20, in_order = true}
        schedule = {kind = "OneCycle", rise = 0.2}
        epochs = 2
        batch_size = 8
        [network]
        kind = "LSTM"
        symbols = 28
        features = 10
        units = 12
        outputs = 28
        answers = "each"
        carry = true""",
}

# Networks that learn their inputs.
_UNSUPERVISED = {
    "autoencoder": f"""
        {FEW}
        network = {{kind = "Autoencoder", widths = [64, 20, 8], code = "Identity", tied = false}}
        loss = "BinaryCrossEntropy"
        {ADAM}
        epochs = 4""",
    "autoencoder_denoising_sparse": f"""
        {FEW}
        loss = "BinaryCrossEntropy"
        {ADAM}
        epochs = 4
        [network]
        kind = "Autoencoder"
        widths = [64, 80]
        sparsity = 0.5
        corrupt = [{{kind = "Mask", share = 0.25}}]""",
    "autoencoder_contractive_top": f"""
        {FEW}
        network = {{kind = "Autoencoder", widths = [64, 30], contraction = 0.1, top = 8}}
        loss = "MeanSquaredError"
        {ADAM}
        epochs = 3""",
    "autoencoder_stacked": f"""
        {FEW}
        network = {{kind = "Autoencoder", widths = [64, 30, 12], layer_by_layer = true}}
        loss = "BinaryCrossEntropy"
        {ADAM}
        epochs = 4""",
    "autoencoder_conv": f"""
        {FEW}
        network = {{kind = "ConvAutoencoder", image = [1, 8, 8], channels = [6, 8], code = 10}}
        loss = "BinaryCrossEntropy"
        {ADAM}
        epochs = 2""",
    "autoencoder_variational": f"""
        {FEW}
        network = {{kind = "VariationalAutoencoder", widths = [64, 32, 6]}}
        loss = {{kind = "BinaryCrossEntropy", outputs = "sum"}}
        {ADAM}
        epochs = 4""",
    "rbm_cd": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 12, sparsity = 0.1}}
        loss = {{kind = "CD", steps = 2}}
        optimizer = {{kind = "SGD", lr = 0.1, momentum = 0.5}}
        penalty = {{kind = "L2", strength = 0.0002}}
        epochs = 3""",
    "rbm_pcd_averaged": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 12}}
        loss = {{kind = "PCD", chains = 20}}
        optimizer = {{kind = "SGD", lr = 0.05}}
        schedule = "Cosine"
        average = {{kind = "EMA", decay = 0.9}}
        epochs = 3""",
    "rbm_fast_pcd": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 12, centred = false}}
        loss = {{kind = "FastPCD", chains = 20}}
        optimizer = {{kind = "SGD", lr = 0.05}}
        epochs = 2""",
    "rbm_tempering": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 12}}
        loss = {{kind = "ParallelTempering", chains = 10, rungs = 4}}
        optimizer = {{kind = "SGD", lr = 0.05}}
        epochs = 2""",
    "rbm_exact": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 6}}
        loss = "Exact"
        optimizer = {{kind = "SGD", lr = 0.2}}
        epochs = 2""",
    "rbm_gaussian_rectified": f"""
        {FEW}
        preprocess = ["Standardise"]
        loss = {{kind = "CD"}}
        optimizer = {{kind = "SGD", lr = 0.001}}
        epochs = 2
        [network]
        kind = "RBM"
        visible = 64
        hidden = 10
        visible_units = "gaussian"
        hidden_units = "rectified" """,
    "rbm_labels": f"""
        {BITS}
        network = {{kind = "RBM", visible = 64, hidden = 12, labels = 10}}
        loss = "CD"
        optimizer = {{kind = "SGD", lr = 0.05}}
        epochs = 2""",
    "dbn": f"""
        {BITS}
        network = {{kind = "DBN", widths = [64, 16, 8]}}
        loss = "CD"
        optimizer = {{kind = "SGD", lr = 0.1}}
        epochs = 4""",
    "boltzmann_encoder": """
        data = {kind = "encoder_problem", units = 2}
        network = {kind = "BoltzmannMachine", visible = 4, hidden = 1, groups = [2, 2], std = 0.0}
        loss = {kind = "Annealed", temperatures = [4.0, 2.0, 1.0], counted = 4}
        optimizer = {kind = "Lion", lr = 0.2, beta1 = 0.0, beta2 = 0.0}
        batch_size = 2
        epochs = 10""",
    "hopfield_hebb": """
        data = {kind = "random_patterns", count = 6, units = 60}
        network = {kind = "Hopfield", units = 60}""",
    "hopfield_storkey_fixed": """
        data = {kind = "random_patterns", count = 8, units = 40}
        network = {kind = "Hopfield", units = 40, rule = "storkey", order = "fixed"}""",
    "hopfield_pseudo_inverse": """
        data = {kind = "random_patterns", count = 20, units = 50}
        network = {kind = "Hopfield", units = 50, rule = "pseudo-inverse", order = "together"}""",
    "hopfield_modern": """
        data = {kind = "random_patterns", count = 20, units = 30}
        network = {kind = "ModernHopfield", units = 30, beta = 2.0}""",
}

# What a recipe may ask for beside its network.
_PARTS = {
    "augment_moves": f"""
        {FEWER}
        preprocess = [{{kind = "Resize", height = 12, width = 12}}]
        network = {{kind = "MLP", widths = [144, 20, 10]}}
        epochs = 2
        [[augment]]
        kind = "Affine"
        shear = 5.0
        [[augment]]
        kind = "Rotate"
        [[augment]]
        kind = "Crop"
        [[augment]]
        kind = "Elastic"
        [[augment]]
        kind = "Flip"
        [[augment]]
        kind = "Shift"
        fill = "border" """,
    "augment_pixels": f"""
        {FEWER}
        {MLP}
        epochs = 2
        augment = ["Noise", "Mask", "SaltAndPepper", "Erase", "ColourJitter", "DrawBits"]""",
    "augment_mixup": f"""
        {FEW}
        {MLP}
        epochs = 3
        augment = [{{kind = "Mixup", alpha = 0.4}}, {{kind = "Noise", std = 0.05}}]""",
    "augment_enlarged": f"""
        {FEWER}
        {MLP}
        epochs = 2
        augment = ["ShiftCopies", {{kind = "NoiseCopies", std = 0.05}}, {{kind = "Resample"}}]""",
    "augment_distribution": """
        data = "iris"
        preprocess = ["Standardise"]
        network = {kind = "MLP", widths = [4, 12, 3]}
        epochs = 4
        augment = [{kind = "FromDistribution"}, {kind = "FromDistribution", form = "kde"}]""",
    "images_from_files": """
        data = {kind = "images", path = "pictures", height = 8, width = 8}
        network = {kind = "ConvNet", image = [3, 8, 8], classes = 2, channels = [6]}
        augment = ["ColourJitter"]
        batch_size = 8
        epochs = 3""",
    "table_of_classes": """
        data = {kind = "csv", path = "table.csv", target = "kind"}
        network = {kind = "MLP", widths = [6, 10, 2]}
        epochs = 6
        batch_size = 16""",
    "table_of_numbers": """
        data = {kind = "csv", path = "table.csv", target = "price"}
        network = {kind = "MLP", widths = [7, 10, 1]}
        loss = "Huber"
        stopping = {kind = "TrainDownValidUp"}
        epochs = 6
        batch_size = 16""",
    "regression": """
        data = "diabetes"
        preprocess = ["Quantile"]
        network = {kind = "MLP", widths = [10, 20, 1], activation = "Tanh"}
        loss = "MeanSquaredError"
        init = "Glorot"
        optimizer = {kind = "Adam", lr = 0.02}
        penalty = {kind = "ElasticNet"}
        stopping = {kind = "Patience", epochs = 3}
        epochs = 25""",
    "class_weights": """
        data = "breast_cancer"
        preprocess = ["Standardise", {kind = "Limit", reach = 3.0}]
        network = {kind = "MLP", widths = [30, 10, 2], activation = "GELU"}
        loss = {kind = "CrossEntropy", label_smoothing = 0.05, weights = [2.0, 1.0]}
        epochs = 4""",
    "hinge": """
        data = "wine"
        preprocess = ["MinMax", {kind = "Whiten", form = "pca", keep = 8}]
        network = {kind = "MLP", widths = [8, 10, 3], activation = "SELU"}
        loss = {kind = "Hinge", power = 2}
        optimizer = {kind = "Momentum", lr = 0.05, ramp = 3}
        epochs = 6
        batch_size = 16""",
    "notes_setting": """
        data = "iris"
        preprocess = ["GlobalContrast"]
        network = {kind = "MLP", widths = [4, 8, 3], activation = "Sigmoid", output = "Sigmoid"}
        loss = "Quadratic"
        init = {kind = "Normal", std = 1.0, bias_std = 1.0}
        optimizer = {kind = "SGD", lr = 0.5}
        penalty = "L1"
        schedule = {kind = "StepDecay", every = 2}
        epochs = 6
        batch_size = 10""",
    "activity_penalty": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "Frame", lr = 0.005}}
        penalty = {{kind = "Together", members = [{{kind = "Activity"}}, {{kind = "L2"}}]}}
        epochs = 3""",
    "muon": f"""
        {FEW}
        {MLP}
        optimizer = "Muon"
        schedule = {{kind = "Cosine", each = "step", restarts = 1}}
        epochs = 4""",
    "torch_optimizer": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "Torch", name = "Rprop", lr = 0.001}}
        epochs = 3""",
    "lbfgs": """
        data = "iris"
        preprocess = ["Standardise"]
        network = {kind = "MLP", widths = [4, 8, 3], activation = "Tanh"}
        optimizer = {kind = "LBFGS", iterations = 5, history = 10}
        penalty = "L2"
        batch_size = 200
        epochs = 6""",
    "annealing": """
        data = "iris"
        preprocess = ["Standardise"]
        network = {kind = "MLP", widths = [4, 3]}
        optimizer = "SimulatedAnnealing"
        batch_size = 200
        epochs = 20""",
    "switch_at_epoch": f"""
        {FEW}
        {MLP}
        epochs = 4
        [optimizer]
        kind = "Switch"
        epoch = 2
        first = {{kind = "Adam", lr = 0.01}}
        then = {{kind = "SGD", lr = 0.02, momentum = 0.9}}""",
    "switch_at_plateau": f"""
        {FEW}
        {MLP}
        epochs = 8
        [optimizer]
        kind = "Switch"
        patience = 1
        first = {{kind = "SGD", lr = 1.5}}
        then = {{kind = "Adam"}}""",
    "average_ema": f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 20, 10], batch_norm = true}}
        average = {{kind = "EMA", decay = 0.95}}
        schedule = {{kind = "OneCycle", rise = 0.3}}
        epochs = 4""",
    "average_swa": f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 20, 10], batch_norm = true}}
        average = {{kind = "SWA", start = 0.4}}
        epochs = 5""",
    "warm_up": f"""
        {FEW}
        {MLP}
        schedule = {{kind = "WarmUp", epochs = 1.5, then = {{kind = "Exponential", each = "step"}}}}
        epochs = 4""",
    "plateau": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "SGD", lr = 1.0}}
        schedule = {{kind = "Plateau", patience = 0, factor = 0.3}}
        epochs = 8""",
    "halve_until": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "SGD", lr = 1.5}}
        schedule = {{kind = "HalveUntil", until = 0.2}}
        epochs = 20""",
    "two_stage": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "Adam", lr = 0.02}}
        schedule = {{kind = "TwoStage", at = 3}}
        stopping = {{kind = "TargetReached", accuracy = 0.8}}
        epochs = 10""",
    "first_of": f"""
        {FEW}
        {MLP}
        optimizer = {{kind = "Adam", lr = 0.05}}
        epochs = 30
        [stopping]
        kind = "FirstOf"
        one = {{kind = "Patience", epochs = 2, by = "accuracy"}}
        other = {{kind = "TimeBudget", seconds = 100000.0}}""",
    "from_recipe_tuned": f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 24, 16, 10]}}
        optimizer = {{kind = "SGD", lr = 0.05, momentum = 0.9}}
        epochs = 3
        [tuning]
        freeze = ["layer1"]
        rates = ["layer3=5"]
        [init]
        kind = "From"
        anew = ["layer3"]
        [init.recipe]
        {FEWER}
        {MLP}
        optimizer = "Muon"
        epochs = 2""",
    "from_recipe_thawed": f"""
        {FEW}
        {MLP}
        tuning = {{unfreeze_every = 1, decay = 0.5}}
        epochs = 4
        [init]
        kind = "From"
        [init.recipe]
        {FEWER}
        {MLP}
        epochs = 2""",
    "from_dbn": f"""
        {BITS}
        network = {{kind = "MLP", widths = [64, 16, 8, 10], activation = "Sigmoid"}}
        epochs = 3
        [init]
        kind = "From"
        [init.recipe]
        {BITS}
        network = {{kind = "DBN", widths = [64, 16, 8]}}
        loss = "CD"
        optimizer = {{kind = "SGD", lr = 0.1}}
        epochs = 2""",
    "from_stacked_machines": f"""
        {BITS}
        network = {{kind = "Autoencoder", widths = [64, 16, 8], tied = false}}
        loss = "BinaryCrossEntropy"
        epochs = 3
        [init]
        kind = "From"
        [init.recipe]
        {BITS}
        network = {{kind = "DBN", widths = [64, 16, 8]}}
        loss = "CD"
        optimizer = {{kind = "SGD", lr = 0.1}}
        epochs = 2""",
    "diverges": f"""
        {FEW}
        network = {{kind = "MLP", widths = [64, 40, 40, 10]}}
        loss = "MeanSquaredError"
        optimizer = {{kind = "SGD", lr = 1e8}}
        epochs = 3""",
    "fold": """
        data = {kind = "fold", data = {kind = "wine"}, folds = 3, number = 1}
        preprocess = ["Standardise"]
        network = {kind = "MLP", widths = [13, 8, 3]}
        init = {kind = "WithBiases", bias = 0.1}
        epochs = 3""",
    "fewer": f"""
        data = {{kind = "fewer", data = {{kind = "digits"}}, rows = 100}}
        {MLP}
        init = {{kind = "Dirac", noise = 0.1}}
        epochs = 3""",
}

RECIPES: dict[str, str] = {**_NETWORKS, **_UNSUPERVISED, **_PARTS}

# Names of those whose run folders are written by one commit and read by the other.
KEPT_RUNS = (
    "activity_penalty",
    "autoencoder_denoising_sparse",
    "class_weights",
    "dbn",
    "from_recipe_tuned",
    "gru_text_stream",
    "hopfield_modern",
    "lenet5",
    "notes_setting",
    "rbm_exact",
    "table_of_classes",
    "torch_optimizer",
)

# Those that one commit leaves after an epoch and the other resumes.
KEPT_HALVES = (
    "autoencoder_stacked",
    "average_ema",
    "boltzmann_encoder",
    "gru_text_stream",
    "muon",
    "plateau",
    "rbm_fast_pcd",
    "rbm_tempering",
    "switch_at_epoch",
)

_DIGITS = 'data = "digits"'
_IRIS = 'data = "iris"\nnetwork = {kind = "MLP", widths = [4, 3]}'
_RBM = f"{BITS}\n" + 'network = {kind = "RBM", visible = 64, hidden = 12}'

# Recipes that cannot run, or that will learn badly.
WRONG = {
    "unknown fields": f'{_DIGITS}\n{MLP}\nlearning = 1\noptimizer = {{kind = "SGD", rate = 1}}',
    "unknown kinds": f'{_DIGITS}\n{MLP}\nloss = "CrossEntrop"\noptimizer = "Adamm"',
    "missing fields": "epochs = 3",
    "values": f'{_DIGITS}\n{MLP}\nepochs = 0\noptimizer = {{kind = "SGD", lr = -1.0}}',
    "two origins": f'{_DIGITS}\n{MLP}\ninit = "From"',
    "inputs": f'{_DIGITS}\nnetwork = {{kind = "MLP", widths = [60, 10]}}',
    "outputs": f'{_DIGITS}\nnetwork = {{kind = "MLP", widths = [64, 7]}}',
    "images": 'data = "iris"\nnetwork = "LeNet5"',
    "channels": f'{_DIGITS}\nnetwork = {{kind = "ConvNet", image = [3, 8, 8], classes = 10}}',
    "symbols": 'data = "copying"\nnetwork = {kind = "LSTM", answers = "each"}',
    "carry": 'data = "digits"\nnetwork = {kind = "LSTM", features = 8, carry = true}',
    "each": 'data = "digits"\nnetwork = {kind = "LSTM", features = 8, answers = "each"}',
    "task": f'data = "diabetes"\n{MLP}',
    "classes by squares": f'{_DIGITS}\n{MLP}\nloss = "MeanSquaredError"',
    "softmax twice": f"{_DIGITS}\n"
    'network = {kind = "MLP", widths = [64, 10], output = "Softmax"}',
    "phase": f'{_DIGITS}\n{MLP}\nloss = "CD"',
    "no phase": _RBM,
    "visible": f'{_DIGITS}\nnetwork = {{kind = "RBM", visible = 60}}\nloss = "CD"',
    "not binary": 'data = "iris"\nnetwork = {kind = "RBM", visible = 4, hidden = 3}\nloss = "CD"',
    "not gaussian": 'data = "wine"\nloss = "CD"\n'
    'network = {kind = "RBM", visible = 13, hidden = 3, visible_units = "gaussian"}',
    "too many states": 'data = "digits"\nnetwork = {kind = "RBM", visible = 64}\nloss = "Exact"',
    "annealed": f'{_RBM}\nloss = "Annealed"',
    "labels": f'{_RBM.replace("hidden", "labels = 3, hidden")}\nloss = "CD"',
    "stack": f'{BITS}\nnetwork = {{kind = "DBN", widths = [60, 5]}}\nloss = "CD"',
    "stack, exact": f'{BITS}\nnetwork = {{kind = "DBN", widths = [64, 99, 98]}}\nloss = "Exact"',
    "encoder": 'data = "encoder_problem"\nnetwork = "BoltzmannMachine"\nloss = "CD"',
    "encoder, units": 'data = "digits"\nnetwork = "BoltzmannMachine"\nloss = "Annealed"',
    "patterns": 'data = "digits"\nnetwork = {kind = "Hopfield", units = 64}',
    "memory units": 'data = "random_patterns"\nnetwork = {kind = "ModernHopfield", units = 64}',
    "code": 'data = "digits"\nnetwork = {kind = "Autoencoder", widths = [60, 5]}\nloss = "Huber"',
    "grey": 'data = "wine"\nnetwork = {kind = "Autoencoder", widths = [13, 5]}\n'
    'loss = "BinaryCrossEntropy"',
    "no validation": 'data = {kind = "iris", valid = 0.0}\nstopping = "Patience"\n'
    'network = {kind = "MLP", widths = [4, 3]}\nschedule = "Plateau"',
    "one sample": 'data = "iris"\nnetwork = {kind = "MLP", widths = [4, 5, 3], batch_norm = true}\n'
    "batch_size = 1",
    "unequal batches": f'{_IRIS}\noptimizer = "LBFGS"',
    "class weights": f'{_DIGITS}\n{MLP}\nloss = {{kind = "CrossEntropy", weights = [1.0]}}',
    "inputs not scaled": 'data = "wine"\nnetwork = {kind = "MLP", widths = [13, 3]}',
    "no file": f'data = {{kind = "csv", path = "absent.csv", target = "y"}}\n{MLP}',
    "no column": f'data = {{kind = "csv", path = "table.csv", target = "y"}}\n{MLP}',
}
