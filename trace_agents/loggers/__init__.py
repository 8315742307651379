"""Loggers: where a run's events go while it runs; each is an extra behind one protocol."""

from trace_agents.loggers.jsonl import JSONL
from trace_agents.loggers.mlflow import MLflow
from trace_agents.loggers.tensorboard import TensorBoard
from trace_agents.loggers.terminal import Terminal
from trace_agents.loggers.wandb import WandB
from trace_agents.training.telling.logger import Logger, Record, metrics_of

__all__ = [
    "JSONL",
    "Logger",
    "MLflow",
    "Record",
    "TensorBoard",
    "Terminal",
    "WandB",
    "metrics_of",
]
