"""The basics: PyTorch's losses, optimizers and schedules, torchmetrics' metrics, and two plain tasks."""

from zoo import Component, hookimpl, loss, metric, optimizer, schedule, task


@hookimpl
def zoo_components() -> list[Component]:
    return [*LOSSES, *OPTIMIZERS, *SCHEDULES, *METRICS, *TASKS]


LOSSES = [
    loss("cross_entropy", "zoo_basics.losses:CrossEntropy", summary="Softmax cross entropy of logits"),
    loss("binary_cross_entropy", "zoo_basics.losses:binary_cross_entropy", summary="Sigmoid cross entropy of logits"),
    loss("mse", "zoo_basics.losses:mse", summary="Mean squared error"),
    loss("l1", "zoo_basics.losses:l1", summary="Mean absolute error"),
    loss("smooth_l1", "zoo_basics.losses:smooth_l1", summary="Squared below beta, absolute above (Girshick, 2015)"),
    loss("huber", "zoo_basics.losses:huber", summary="Huber loss: squared below delta, linear above (Huber, 1964)"),
    loss(
        "kl_divergence",
        "zoo_basics.losses:KLDivergence",
        summary="Divergence of softmax from a distribution",
        example={"outputs": [4, 3], "target": [4, 3]},
    ),
]

OPTIMIZERS = [
    optimizer("sgd", "torch.optim:SGD", summary="Stochastic gradient descent, with momentum (Sutskever et al., 2013)"),
    optimizer("adam", "torch.optim:Adam", summary="Adam (Kingma and Ba, 2015)"),
    optimizer("adamw", "torch.optim:AdamW", summary="Adam with decoupled decay (Loshchilov and Hutter, 2019)"),
    optimizer("rmsprop", "torch.optim:RMSprop", summary="RMSprop (Tieleman and Hinton, 2012)"),
    optimizer("adagrad", "torch.optim:Adagrad", summary="Adagrad (Duchi et al., 2011)"),
    optimizer("adadelta", "torch.optim:Adadelta", summary="Adadelta (Zeiler, 2012)"),
    optimizer("nadam", "torch.optim:NAdam", summary="Adam with Nesterov momentum (Dozat, 2016)"),
    optimizer("radam", "torch.optim:RAdam", summary="Rectified Adam (Liu et al., 2020)"),
    optimizer(
        "muon", "zoo_basics.muon:Muon", summary="Muon for matrices and kernels, AdamW for the rest (Jordan, 2024)"
    ),
]

SCHEDULES = [
    schedule("constant", "zoo_basics.schedules:constant", summary="The rate stays"),
    schedule("step", "zoo_basics.schedules:step", summary="A factor every few epochs", example={"step_size": 2}),
    schedule(
        "multi_step",
        "zoo_basics.schedules:multi_step",
        summary="A factor at given epochs",
        example={"milestones": [1, 3]},
    ),
    schedule(
        "exponential",
        "zoo_basics.schedules:exponential",
        summary="A factor per epoch, applied smoothly",
        example={"gamma": 0.5},
    ),
    schedule("polynomial", "zoo_basics.schedules:polynomial", summary="A power of what is left of the run"),
    schedule("cosine", "zoo_basics.schedules:cosine", summary="Half a cosine (Loshchilov and Hutter, 2017)"),
    schedule("one_cycle", "zoo_basics.schedules:one_cycle", summary="Up, then far down (Smith and Topin, 2019)"),
    schedule("plateau", "zoo_basics.schedules:plateau", summary="A factor when the monitored figure stalls"),
]

METRICS = [
    metric("accuracy", "zoo_basics.metrics:accuracy", summary="Share of right classes"),
    metric("top_k_accuracy", "zoo_basics.metrics:top_k_accuracy", summary="Share of truths among the k likeliest"),
    metric("f1", "zoo_basics.metrics:f1", summary="Harmonic mean of precision and recall"),
    metric("confusion_matrix", "zoo_basics.metrics:confusion_matrix", summary="Counts by true and predicted class"),
    metric("mean_squared_error", "zoo_basics.metrics:mean_squared_error", summary="Mean squared error"),
    metric("mean_absolute_error", "zoo_basics.metrics:mean_absolute_error", summary="Mean absolute error"),
    metric("perplexity", "zoo_basics.metrics:Perplexity", summary="Exponential of the mean cross entropy"),
]

TASKS = [
    task("classification", "zoo_basics.tasks:Classification", summary="One class for each input"),
    task("regression", "zoo_basics.tasks:Regression", summary="One or more numbers for each input"),
]
