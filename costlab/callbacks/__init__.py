"""What a training step costs, and how well the device is used, logged while a model trains.

`costlab.callbacks.lightning` and `costlab.callbacks.transformers` have a `CostCallback` each. This
package imports neither framework: import the module of yours.
"""
