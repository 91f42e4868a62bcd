from trisynth.report.names import label, metric, name


def test_labels_read_like_words():
    assert label("systolic_bp") == "systolic BP"
    assert label(7) == "7"


def test_metrics_have_the_fields_names_whatever_their_arm():
    assert metric("synthetic/ece") == "ECE"
    assert metric("copying/dcr_share") == "DCR share"
    assert metric("copying/identical_match_share") == "Identical match share"
    assert metric("final/rec_weighted") == "rec weighted"


def test_simulated_data_are_named_so():
    assert name("paper_cohort") == "paper cohort (simulated)"
    assert name("page_blocks") == "page blocks"
