"""Objects that are told what happens during training: the public namespace `tricera.callbacks`."""

from __future__ import annotations

from tricera.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from tricera.callbacks.callback import Callback as Callback
from tricera.callbacks.callback_list import CallbackList as CallbackList
from tricera.callbacks.csv_logger import CSVLogger as CSVLogger
from tricera.callbacks.early_stopping import EarlyStopping as EarlyStopping
from tricera.callbacks.history import History as History
from tricera.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from tricera.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from tricera.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from tricera.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
from tricera.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from tricera.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
from tricera.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from tricera.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
