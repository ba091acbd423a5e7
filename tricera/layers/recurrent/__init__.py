"""Recurrent layers: one loop (`rnn.py`, `loop.py`), and cells that share their options and weights (`cell.py`)."""

from __future__ import annotations

from tricera.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from tricera.layers.recurrent.conv_lstm import (
    ConvLSTM1D as ConvLSTM1D,
    ConvLSTM2D as ConvLSTM2D,
    ConvLSTM3D as ConvLSTM3D,
)
from tricera.layers.recurrent.gru import GRU as GRU, GRUCell as GRUCell
from tricera.layers.recurrent.lstm import LSTM as LSTM, LSTMCell as LSTMCell
from tricera.layers.recurrent.rnn import RNN as RNN
from tricera.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN, SimpleRNNCell as SimpleRNNCell
from tricera.layers.recurrent.stacked import StackedRNNCells as StackedRNNCells
from tricera.layers.recurrent.time_distributed import TimeDistributed as TimeDistributed
from tricera.layers.recurrent.wrapper import Wrapper as Wrapper
