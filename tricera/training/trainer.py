"""`Trainer`: compile, fit, evaluate and predict; what a `Model` is besides a layer."""

from __future__ import annotations

import warnings
from typing import Any

from tricera.autodiff import value_and_grad
from tricera.core import dispatch, tree
from tricera.core.graph import public_class
from tricera.core.masking import give_masks, masks_of
from tricera.training import loop
from tricera.training.compiled import Compiled, check_steps_per_execution
from tricera.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from tricera.training.steps import StepCache, optimizers_of


class Trainer:
    """The training half of a model. One loop (`training.loop`) drives fit, evaluate, predict and the `*_on_batch` methods."""

    _compiled: Compiled | None
    optimizer: Any
    # What `Layer` brings; the trainer is always mixed in before it.
    losses: Any
    name: str

    def __init__(self) -> None:
        self._compiled = None
        self._step_cache = StepCache()
        self.optimizer = None
        self.stop_training = False
        self.history: Any = None
        self._fitting: Any = None  # the `fit` under way

    # ------------------------------------------------------------------ compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name or a function; a list or dict of them for several outputs.
            loss_weights: factors of the outputs' losses, a list or dict.
            metrics: a list of metrics; lists or dicts of lists for several outputs.
            weighted_metrics: metrics that sample weights and class weights apply to.
            run_eagerly: run the step's Python code each time instead of compiling it.
            steps_per_execution: how many batches go into one compiled call: always so many, and batch hooks are called once for
                them; or `"auto"`, and by default, as many as take about half a second where no callback watches single batches,
                else one. The numbers are the same.
            jit_compile: True, False, or `"auto"` for what suits the backend.
            auto_scale_loss: scale the loss dynamically under `mixed_float16`.

        Raises:
            ValueError: `run_eagerly` together with `jit_compile=True`, an unknown name, or `steps_per_execution` that is
                neither a positive integer nor `"auto"`.
        """
        with dispatch.use(self._backend):  # type: ignore[attr-defined]
            compiled = Compiled(
                self,
                optimizer=optimizer,
                loss=loss,
                loss_weights=loss_weights,
                metrics=metrics,
                weighted_metrics=weighted_metrics,
                run_eagerly=run_eagerly,
                steps_per_execution=steps_per_execution,
                jit_compile=jit_compile,
                auto_scale_loss=auto_scale_loss,
            )
        self._compiled, self.optimizer = compiled, compiled.optimizer
        self.loss = loss
        self.stop_training = False
        self._step_cache.clear()

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python."""
        return self._compiled is not None and self._compiled.run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._need_compiled("setting `run_eagerly`").run_eagerly = bool(value)
        self._step_cache.clear()

    @property
    def jit_compile(self) -> Any:
        """Whether steps are compiled by the framework's compiler: True, False or `"auto"`."""
        return "auto" if self._compiled is None else self._compiled.jit_compile

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self._need_compiled("setting `jit_compile`").jit_compile = value
        self._step_cache.clear()

    @property
    def steps_per_execution(self) -> Any:
        """How many batches go into one compiled call, or `"auto"`."""
        return 1 if self._compiled is None else self._compiled.steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: Any) -> None:
        compiled = self._need_compiled("setting `steps_per_execution`")
        compiled.steps_per_execution = check_steps_per_execution(value)

    @property
    def _fixed_steps(self) -> int:
        """How many batches always go into one compiled call: 1 where it is not fixed."""
        steps = self.steps_per_execution
        return 1 if steps == "auto" else steps

    def _need_compiled(self, what: str) -> Compiled:
        if self._compiled is None:
            raise ValueError(
                f"The model {self.name!r} must be compiled before {what}: call `model.compile(optimizer=..., loss=...)`."
            )  # type: ignore[attr-defined]
        return self._compiled

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile` as a config, `{}` if it wasn't called."""
        return {} if self._compiled is None else self._compiled.get_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` said."""
        if not config:
            return
        from tricera.core.serialization import deserialize_keras_object

        self.compile(**deserialize_keras_object(config))
        if self.optimizer is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ metrics and losses

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics given to `compile`, and the model's and its layers' own."""
        own = super().metrics  # type: ignore[misc]
        return own if self._compiled is None else [*self._compiled.trackers, *self._compiled.metrics, *own]

    @property
    def metrics_names(self) -> list[str]:
        """The names under which metrics are reported."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Set all metrics back."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics' values by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics of `compile` with a batch, and return all values by name.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the outputs.
            sample_weight: weights of the samples.
        """
        if self._compiled is not None and y is not None:
            self._compiled.update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The total loss of a batch: those of `compile` and those that layers added.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the outputs.
            sample_weight: weights of the samples.
            training: whether it is a training step.

        Returns:
            A scalar tensor.

        Raises:
            ValueError: there is no loss at all.
        """
        from tricera import ops

        losses = []
        if self._compiled is not None and self._compiled.has_loss:
            loss = self._compiled.compute_loss(y, y_pred, sample_weight)
            if loss is not None:
                losses.append(loss)
        for extra in self.losses:
            losses.append(ops.sum(ops.cast(extra, "float32")))
        if not losses:
            if training:
                raise ValueError(
                    f"The model {self.name!r} has no loss to minimise: give `compile` a `loss`, call `add_loss` in a layer, "  # type: ignore[attr-defined]
                    "or override `compute_loss`."
                )
            return ops.zeros(())
        total = losses[0]
        for loss in losses[1:]:
            total = ops.add(total, loss)
        return total

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """`compute_loss` as a pure function of the variables' values.

        Returns:
            `(loss, (trainable values, non-trainable values, metrics values))`.
        """
        from tricera.core.state import functionalize

        groups = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]  # type: ignore[attr-defined]
        given = [*trainable_variables, *non_trainable_variables, *metrics_variables]
        pure = functionalize(
            lambda: self.compute_loss(x, y, y_pred, sample_weight, training=training), [v for g in groups for v in g]
        )
        loss, new = pure(given)
        n, m = len(groups[0]), len(groups[0]) + len(groups[1])
        return loss, (new[:n], new[n:m], new[m:])

    def compute_loss_and_updates(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Any = None,
    ) -> Any:
        """Forward pass and loss as a pure function, as JAX's custom training steps use it.

        Returns:
            `(loss, (loss, outputs, non-trainable values, metrics values))`; the first is scaled for mixed precision.
        """
        y_pred, non_trainable, losses = self.stateless_call(  # type: ignore[attr-defined]
            trainable_variables, non_trainable_variables, x, return_losses=True, **self._training_argument(training)
        )
        loss, (trainable_variables, non_trainable, metrics_variables) = self.stateless_compute_loss(
            trainable_variables, non_trainable, metrics_variables, x=x, y=y, y_pred=y_pred,
            sample_weight=sample_weight, training=training,
        )  # fmt: skip
        for extra in losses:
            loss = loss + extra
        scaled = loss if self.optimizer is None or not training else self.optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, non_trainable, metrics_variables)

    def _training_argument(self, training: bool) -> dict[str, bool]:
        from tricera.layers.call_info import info_of

        info = info_of(public_class(self))
        return {"training": training} if info.training or info.has_kwargs else {}

    # ------------------------------------------------------------------ steps

    def train_step(self, data: Any) -> dict[str, Any]:
        """One training step; to be overridden. This form runs unchanged on JAX, PyTorch and TensorFlow.

        Args:
            data: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            What is logged, by name.
        """
        x, y, sample_weight, y_pred = self._learn(data)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _learn(self, data: Any) -> tuple[Any, Any, Any, Any]:
        """A training step but for the metrics; returns what these are computed of."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)

        def forward() -> Any:
            y_pred = self._forward(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred, masks_of(y_pred))

        variables = self.trainable_variables  # type: ignore[attr-defined]
        if variables:
            (_, (loss, y_pred, masks)), gradients = value_and_grad(forward, variables, has_aux=True)()
            give_masks(y_pred, masks)  # what comes out of a derivative are other tensors
            self.optimizer.apply(gradients, variables)
        else:
            _, (loss, y_pred, _) = forward()
        self._track_loss(loss, x)
        return x, y, sample_weight, y_pred

    def test_step(self, data: Any) -> dict[str, Any]:
        """One evaluation step; to be overridden.

        Args:
            data: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            What is logged, by name.
        """
        x, y, sample_weight, y_pred = self._judge(data)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _judge(self, data: Any) -> tuple[Any, Any, Any, Any]:
        """An evaluation step but for the metrics; returns what these are computed of."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._forward(x, training=False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._track_loss(loss, x)
        return x, y, sample_weight, y_pred

    def predict_step(self, data: Any) -> Any:
        """One prediction step; to be overridden.

        Args:
            data: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            The outputs.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._forward(x, training=False)

    def _forward(self, x: Any, training: bool) -> Any:
        return self(x, **self._training_argument(training))  # type: ignore[operator]

    def _track_loss(self, loss: Any, x: Any) -> None:
        if self._compiled is not None:
            from tricera import ops

            leaf = x if hasattr(x, "shape") else next((t for t in tree.flatten(x) if t is not None), None)
            size = ops.shape(leaf)[0] if leaf is not None and len(leaf.shape) else 1
            self._compiled.track_loss(loss, size)

    # ------------------------------------------------------------------ driving the loop

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train the model.

        Args:
            x: arrays or tensors of any framework, sparse ones too (a list, tuple or dict for several inputs), a data frame, a
                `tf.data.Dataset`, a torch `DataLoader`, a `PyDataset` or a generator.
            y: the targets, where `x` doesn't give them itself.
            batch_size: samples a step, 32 for None; of arrays only.
            epochs: at which epoch to stop.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch, `"auto"`.
            callbacks: a list of callbacks.
            validation_split: the fraction of the samples, the last ones, that is set aside to validate.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a data source.
            shuffle: shuffle the samples before each epoch; `"batch"` shuffles whole batches.
            class_weight: class -> weight of its samples.
            sample_weight: a weight a sample.
            initial_epoch: at which epoch to begin.
            steps_per_epoch: how many steps an epoch takes.
            validation_steps: how many steps a validation takes.
            validation_batch_size: samples a validation step, `batch_size` for None.
            validation_freq: validate every so many epochs, or in the epochs listed.

        Batches of a source that is slow are read ahead in a thread while steps run, up to the end of the epoch; a generator gives no
        more than the steps asked for, except if a callback stops in the middle of an epoch.

        Returns:
            The History callback, whose `history` holds the logs of the epochs, and `data_wait` the seconds for which the steps of
            each waited for data.

        Raises:
            ValueError: the model isn't compiled, or the data don't fit together.
        """
        self._need_compiled("`fit`")
        return loop.fit(self, locals())

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data.

        Args:
            x: as for `fit`.
            y: as for `fit`.
            batch_size: samples a step, 32 for None.
            verbose: as for `fit`.
            sample_weight: a weight a sample.
            steps: how many steps to take; all the data for None.
            callbacks: a list of callbacks.
            return_dict: return a dict in the place of a list.

        Returns:
            The loss, or a list of the loss and the metrics, or a dict.
        """
        self._need_compiled("`evaluate`")
        return loop.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict, **kwargs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for data, as arrays.

        Args:
            x: as for `fit`.
            batch_size: samples a step, 32 for None.
            verbose: as for `fit`.
            steps: how many steps to take; all the data for None.
            callbacks: a list of callbacks.

        Returns:
            An array, or a structure of arrays.
        """
        return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on one batch; loss and metrics are those of the batch.

        Returns:
            As `evaluate`.
        """
        self._need_compiled("`train_on_batch`")
        return loop.on_batch(self, "train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """One evaluation step on one batch; loss and metrics are those of the batch.

        Returns:
            As `evaluate`.
        """
        self._need_compiled("`test_on_batch`")
        return loop.on_batch(self, "test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as arrays."""
        return loop.predict_on_batch(self, x)

    def make_train_function(self, force: bool = False) -> Any:
        """The function that `fit` calls: it takes an iterator of batches, runs one step and returns the logs."""
        return self._make_function("train", force)

    def make_test_function(self, force: bool = False) -> Any:
        """The function that `evaluate` calls: it takes an iterator of batches, runs one step and returns the logs."""
        return self._make_function("test", force)

    def make_predict_function(self, force: bool = False) -> Any:
        """The function that `predict` calls: it takes an iterator of batches, runs one step and returns the outputs."""
        return self._make_function("predict", force)

    def _make_function(self, kind: str, force: bool) -> Any:
        if force:
            self._step_cache.clear()

        def function(iterator: Any) -> Any:
            return loop.run_batches(self, kind, [next(iterator)])

        return function

    def jax_state_sync(self) -> None:
        """Nothing to do: variables hold the current values after each step (kept for Keras's callbacks)."""

    def _move_training_state(self, backend: dispatch.Backend) -> None:
        """Take optimizer, loss and metrics along to another backend."""
        self._step_cache.clear()
        variables = [v for optimizer in optimizers_of(self) for v in optimizer.variables]
        if self._compiled is not None:
            variables += self._compiled.variables
            self._compiled.move(backend)
        for variable in variables:
            variable.move(backend)

    def _warn(self, message: str) -> None:
        warnings.warn(message, stacklevel=3)


__all__ = ["Trainer", "pack_x_y_sample_weight"]
