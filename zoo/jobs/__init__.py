"""What a recipe asks for: training and evaluation. Each job is a short body around `zoo.training.loop.fit`."""
