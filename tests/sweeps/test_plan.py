"""The plan of a sweep: jobs that share a fit apart, every combination early."""

from trisynth.sweeps.plan import Plan, order


def test_jobs_that_share_a_fit_are_kept_apart_and_one_seed_of_each_comes_first():
    grid = [[f"generator={g}", f"classifier={c}", f"seed={s}"] for g in "ab" for c in ("svm", "knn") for s in range(2)]

    def started(workers):
        return " ".join(grid[i][0][-1] + grid[i][2][-1] + grid[i][1][-3:] for i in order(grid, workers))

    assert started(1) == "a0svm b0svm a0knn b0knn a1svm b1svm a1knn b1knn"
    assert started(2) == "a0svm b0svm a1svm b1svm a0knn b0knn a1knn b1knn"
    assert order([["x=1"], ["x=2"], ["x=1", "y=2"]]) == [0, 1, 2]


def test_a_plan_is_read_as_it_was_written(tmp_path):
    plan = Plan({"7": ("seed=1", "generator=vae"), "3": ()}, workers=3)
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan
    assert list(Plan.read(tmp_path).jobs) == ["7", "3"]


def test_no_plan_is_an_empty_one(tmp_path):
    assert Plan.read(tmp_path) == Plan({})
