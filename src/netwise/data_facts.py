"""What a sample of a program's data shows: how well simple models predict the targets, rows that
are repeated or leaked, features that are constant. Rules read it without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Where the symbols of an input are that are targets: `DataFacts.symbols_as_targets`.
SAME_PLACE, NEXT_PLACE = "same place", "next place"


@dataclass(frozen=True)
class DataFacts:
    """What a sample of the training and evaluation data shows; None where it is not known.

    Scores are accuracies for classes and R² for numbers, of samples that the simple model was not
    fitted to.

    Args:
        train_samples, evaluation_samples: rows in the sample.
        features: numbers of one input.
        chance_score: of the best constant prediction.
        class_targets: whether the targets are classes.
        linear_score, smooth_score, neighbour_score: of a linear model, of a smooth one (kernel
            ridge regression) and of the nearest neighbours, fitted to one part of the training
            sample and measured on the rest.
        unordered_score: the best of such models that know which symbols a row has, and not their
            places; None for other inputs than symbols at places.
        score_without_places: the best of simple models that know what a picture or a series holds,
            and not where; None for other inputs.
        sorted_targets: the best score where groups of columns of targets are sorted in each row,
            such as two points by their first coordinate, and the columns of a group; None where
            columns cannot stand for each other.
        turned_targets: for targets that are maps of the places of pictures: how the maps are turned
            or mirrored against these, if at all; their mean correlation with what stands out there,
            as they are and turned back; the share of the samples that fit better turned back; and
            the correlation with each as it fits better.
        row_numbers: a feature that looks like the number of the row, the accuracy of simple models
            that know it alone, and of those that know all others; None without one.
        target_spreads: the smallest and the largest standard deviation of the columns of targets
            that are numbers; None with one column.
        targets_on_circle: the best score for the place on a circle whose length is the range of the
            targets, that length, and the share of the nearest neighbours of rows at the ends of
            the range that are in the other half of it; None for other targets than one number.
        evaluation_chance_score, evaluation_linear_score: the same, measured on the evaluation
            sample.
        evaluation_smooth_score, evaluation_neighbour_score: likewise.
        evaluation_rescaled_score: the best of these scores, with each feature of the evaluation
            sample brought to the mean and the standard deviation that it has in training.
        inside_training_score, inside_evaluation_score: the best of the three models, fitted to one
            part of the sample and measured on the rest, with as many rows in both samples.
        inside_training_chance, inside_evaluation_chance: of the best constant prediction of these.
        inputs_apart: how well training and evaluation rows can be distinguished by their inputs,
            from 0 to 1.
        matched_score: of the linear model on the evaluation sample, after the best renaming of
            classes.
        class_map: that renaming: the training class for each class of evaluation; -1 for none.
        training_seen: estimated share of the training rows that are known.
        rare_ranking: how well a linear model ranks rows of other classes above those of the most
            frequent one: the probability that two are in the right order.
        repeated_rows: share of the training rows that occur more than once in a batch.
        contradicting_rows: share of the rows met several times that had several classes.
        contradicting_by_chance: the share that would have if classes were drawn at random.
        sorted_by_length: whether the rows of each batch are sorted by the number of symbols before
            their padding, though its lengths differ.
        evaluated_rows: rows of evaluation that were compared with those of training.
        known_rows: share of the evaluation rows that are among the known training rows.
        leaked_rows: estimated share of the evaluation rows that are training rows, too.
        natural_repeats: the share that would be expected by chance: data of few values repeat.
        evaluates_training_part: whether the evaluated rows are those of training as a whole.
        parts_are_apart: whether some evaluated batches are of training rows and the others of none.
        constant_features, duplicated_features: how many.
        whole_targets: different values among targets that are a whole number each; None for other
            targets.
        rows_standardised: whether the numbers of each row have mean 0 and standard deviation 1.
        paired_rows: of targets that are the rows of the other view of each row how near these are,
            how near those of another order are (shares of the other rows that are nearer), and
            which order that is, "neighbours" or "halves"; None for other targets.
        features_in_use: share of the rows in which a feature is not 0, as the median over the
            features that vary: near 0 for counts of words.
        smallest_std, typical_std, largest_std: of the standard deviations of the features that are
            not constant.
        answers: for each class how often it was asked for, answered and answered rightly in the
            latest watched batches of training.
        evaluation_answers: the same in the last evaluation.
        evaluation_r2: R² of the network in the last evaluation, of targets that are numbers.
        target_feature: index of a feature that is the target itself; None without one.
        target_feature_scale: factor and offset by which that feature follows from the target; 1 and
            0 where it is the target itself.
        class_order: of targets that are whole numbers the mean difference between a row's and its
            nearest neighbour's, where they differ, over that of two different numbers at random:
            near 1 for names of classes, far below for amounts.
        idle_features: numbers of features of a table with one value, which no other feature has.
        equal_features: pairs of features of a table that are equal in all rows.
        symbols_as_targets: for each input whose symbols are the targets its number among the
            tensors of the call, and `SAME_PLACE` or `NEXT_PLACE`.
        series_as_targets: for each input of real numbers that are the targets one place later its
            number among the tensors of the call, and the axis of its places.
        padded_targets: share of the targets that are padding, as the inputs are at the same places,
            and count in the loss, and their class number; None without.
        target_units: mean and standard deviation of targets that are numbers, in training and then
            in evaluation.
        copies_inputs, evaluation_copies_inputs: whether the targets are the inputs themselves.
        drawn_anew: whether evaluations ask for the same targets of inputs that are all new each
            time.
        beyond_training: share of the numbers of evaluated inputs outside of the range that their
            feature has in training.
        missing_marks: how many features have a repeated number at the end of their range that makes
            up nearly all of their spread, in what share of the rows, and the standard deviation
            without it over that with it.
        batches_alike: whether all batches of training that were kept have the same rows.
        not_known: for each field that could not be found, the reason.

    Example:
        >>> import netwise as nw
        >>> nw.DataFacts(train_samples=200, linear_score=0.93).leaked_rows is None
        True
    """

    train_samples: int = 0
    evaluation_samples: int = 0
    features: int | None = None
    class_targets: bool | None = None
    chance_score: float | None = None
    linear_score: float | None = None
    smooth_score: float | None = None
    neighbour_score: float | None = None
    unordered_score: float | None = None
    score_without_places: float | None = None
    sorted_targets: tuple[float, int] | None = None
    turned_targets: tuple[str, float, float, float, float] | None = None
    row_numbers: tuple[int, float, float] | None = None
    target_spreads: tuple[float, float] | None = None
    targets_on_circle: tuple[float, float, float] | None = None
    evaluation_chance_score: float | None = None
    evaluation_linear_score: float | None = None
    evaluation_smooth_score: float | None = None
    evaluation_neighbour_score: float | None = None
    evaluation_rescaled_score: float | None = None
    inside_training_score: float | None = None
    inside_training_chance: float | None = None
    inside_evaluation_score: float | None = None
    inside_evaluation_chance: float | None = None
    inputs_apart: float | None = None
    matched_score: float | None = None
    class_map: tuple[int, ...] | None = None
    rare_ranking: float | None = None
    training_seen: float | None = None
    repeated_rows: float | None = None
    contradicting_rows: float | None = None
    contradicting_by_chance: float | None = None
    sorted_by_length: bool | None = None
    evaluated_rows: int | None = None
    known_rows: float | None = None
    leaked_rows: float | None = None
    natural_repeats: float | None = None
    evaluates_training_part: bool | None = None
    parts_are_apart: bool | None = None
    constant_features: int | None = None
    duplicated_features: int | None = None
    rows_standardised: bool | None = None
    paired_rows: tuple[float, float, str] | None = None
    features_in_use: float | None = None
    whole_targets: int | None = None
    smallest_std: float | None = None
    typical_std: float | None = None
    largest_std: float | None = None
    target_feature: int | None = None
    target_feature_scale: tuple[float, float] = (1.0, 0.0)
    class_order: float | None = None
    idle_features: tuple[int, ...] = ()
    equal_features: tuple[tuple[int, int], ...] = ()
    symbols_as_targets: tuple[tuple[int, str], ...] = ()
    series_as_targets: tuple[tuple[int, int], ...] = ()
    padded_targets: tuple[float, int] | None = None
    target_units: tuple[float, float, float, float] | None = None
    copies_inputs: bool | None = None
    evaluation_copies_inputs: bool | None = None
    drawn_anew: bool | None = None
    beyond_training: float | None = None
    missing_marks: tuple[int, float, float] | None = None
    batches_alike: bool | None = None
    answers: tuple[tuple[int, int, int], ...] | None = None
    evaluation_answers: tuple[tuple[int, int, int], ...] | None = None
    evaluation_r2: float | None = None
    not_known: Mapping[str, str] = field(default_factory=dict)

    @property
    def best_score(self) -> float | None:
        """The highest score of a simple model on training rows that it was not fitted to.

        >>> DataFacts(linear_score=0.6, smooth_score=0.7, neighbour_score=0.5).best_score
        0.7
        """
        return _highest(self.linear_score, self.smooth_score, self.neighbour_score)

    @property
    def evaluation_accuracy(self) -> float | None:
        """Accuracy of the network in the last evaluation.

        >>> DataFacts(evaluation_answers=((50, 50, 40), (50, 50, 40))).evaluation_accuracy
        0.8
        """
        asked = sum(row[0] for row in self.evaluation_answers or ())
        return sum(row[2] for row in self.evaluation_answers or ()) / asked if asked else None

    @property
    def best_evaluation_score(self) -> float | None:
        """The highest score on the evaluation sample of a simple model of the training sample."""
        return _highest(
            self.evaluation_linear_score,
            self.evaluation_smooth_score,
            self.evaluation_neighbour_score,
        )


def _highest(*scores: float | None) -> float | None:
    return max((score for score in scores if score is not None), default=None)


def data_facts_as_dict(facts: DataFacts | None) -> dict[str, Any] | None:
    """All fields as plain values for a JSON file; None for None."""
    return None if facts is None else {**asdict(facts), "not_known": dict(facts.not_known)}
