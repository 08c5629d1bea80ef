"""The registry of inspection items: what each asks, what answers it, and which document to show."""

from __future__ import annotations

from geodata.messages import Message, msg
from planning.inspection_county import (
    judge_all_schools,
    judge_backbone_rotation,
    judge_catchments,
    judge_certificates,
    judge_composites,
    judge_migrants,
    judge_rotation,
    judge_spreads,
    judge_training,
    tell_retention,
)
from planning.inspection_facts import InspectionItem, ItemGroup
from planning.inspection_schools import judge_class_sizes, judge_sizes, judge_special_rooms, tell_small_schools

GROUP_NAMES: dict[ItemGroup, Message] = {
    "precondition": msg("Preconditions"),
    "resources": msg("Resources"),
    "guarantee": msg("Government guarantee"),
    "quality": msg("Quality of education"),
    "recognition": msg("Public recognition"),
    "veto": msg("Vetoes"),
    "government": msg("Work of the government"),
}
STAGES = ("primary", "junior")


def _paper(id: str, group: ItemGroup, name: Message, show: Message, *, key: str = "") -> InspectionItem:
    """Return an item that a document answers."""
    return InspectionItem(id, "quality", group, name, show, key=key)


_RESOURCES = (
    _paper(
        "R-pre",
        "precondition",
        msg("Basic balance was recognised three years ago or more, and held since"),
        msg("The certificate of basic balance (基本均衡) and the yearly monitoring reports."),
    ),
    InspectionItem(
        "R-school",
        "quality",
        "resources",
        msg("Every school meets six of the seven indicators, and 85% of the seventh"),
        msg("The table of schools and indicators, with the statistical returns that it is made from."),
        key="school_pass_rule",
        op=">=",
        unit="share",
        stages=STAGES,
        compute=judge_all_schools,
        formula=msg("Schools that pass / schools in scope; all have to. Stages of one school are judged apart."),
        trap=msg("The seventh may miss its limit, but not by more than 15%: one indicator at 84% fails the school."),
    ),
    InspectionItem(
        "R-CV",
        "quality",
        "resources",
        msg("Coefficient of variation between schools, each of the seven indicators"),
        msg("The table of coefficients by stage."),
        key="between_school_cv_each_indicator",
        op="<=",
        unit="ratio",
        stages=STAGES,
        compute=judge_spreads,
        formula=msg("sqrt(Σ Pᵢ/N × (Xᵢ − X̄)²) / X̄, with X̄ = Σ xᵢ / N; the largest of the seven is shown."),
        trap=msg(
            "Each of the seven is judged, not their mean. Unweighted, as published software has it, the same data can"
            " fall on the other side of the limit."
        ),
    ),
)
_GUARANTEE_DATA = (
    InspectionItem(
        "G3",
        "quality",
        "guarantee",
        msg("A music and an art room for every 12 classes, large enough"),
        msg("A list of special rooms with areas and years, and their photographs."),
        key="music_art_rooms",
        op=">=",
        unit="share",
        compute=judge_special_rooms,
        formula=msg(
            "Rooms ≥ classes / 12, rounded up; smallest room ≥ 96 m² (music) and 90 m² (art), in schools of 2016 and"
            " earlier 73 and 67 m². The share of schools that meet it is shown."
        ),
        trap=msg(
            "Small rural schools whose largest class is below 30 are judged by themselves. The year is that of the"
            " school: rooms built later in an old school need the larger area, which the data do not tell."
        ),
    ),
    InspectionItem(
        "G4",
        "quality",
        "guarantee",
        msg("No school above its size"),
        msg("Returns with pupils by school; for the relaxation, the year of founding and the share of migrants."),
        key="max_school_pupils",
        op="<=",
        unit="pupils",
        compute=judge_sizes,
        formula=msg(
            "Pupils of the primary and junior stage of a school against the limit of its kind; the largest is shown."
        ),
        trap=msg(
            "Schools founded by 2010, or with more than half migrants' children, may be larger: without these data a"
            " school between the two limits is not known to pass or fail."
        ),
    ),
    InspectionItem(
        "G5",
        "quality",
        "guarantee",
        msg("No class above its size"),
        msg("The list of classes with their pupils, from the roll system."),
        key="max_class_size",
        op="<=",
        unit="pupils",
        stages=STAGES,
        compute=judge_class_sizes,
        formula=msg("The largest class of every school against the cap; else averages by grade or school."),
        trap=msg(
            "It holds for every single class. An average above the cap proves a breach, one below it proves nothing."
        ),
    ),
    InspectionItem(
        "G9",
        "quality",
        "guarantee",
        msg("Teachers who completed 360 hours of training within five years"),
        msg("The register of training hours."),
        key="training_360h_completion",
        op=">=",
        unit="share",
        compute=judge_training,
        formula=msg("Σ trained_teachers / Σ staff_teachers."),
    ),
    InspectionItem(
        "G11",
        "quality",
        "guarantee",
        msg("Teachers who rotated this year, of those who are due"),
        msg("The list of rotated teachers with schools and dates."),
        key="teacher_rotation",
        op=">=",
        unit="share",
        compute=judge_rotation,
        formula=msg("Σ rotated_teachers / Σ eligible_teachers."),
        trap=msg("The base is the teachers who are due, not all teachers."),
    ),
    InspectionItem(
        "G11.backbone",
        "quality",
        "guarantee",
        msg("Backbone teachers among those who rotated"),
        msg("The list of rotated teachers with their titles."),
        key="rotated_backbone_share",
        op=">=",
        unit="share",
        compute=judge_backbone_rotation,
        formula=msg("Σ rotated_backbone_teachers / Σ rotated_teachers."),
        trap=msg("The base is the teachers who rotated, not the backbone teachers."),
    ),
    InspectionItem(
        "G12",
        "quality",
        "guarantee",
        msg("Teachers with a teacher's certificate"),
        msg("The register of certificates."),
        key="certified_teachers",
        op=">=",
        unit="share",
        compute=judge_certificates,
        formula=msg("Σ certified_teachers / Σ staff_teachers."),
    ),
    InspectionItem(
        "G13",
        "quality",
        "guarantee",
        msg("Pupils admitted from the catchment of their school"),
        msg("The published catchments, and the list of admissions by address."),
        key="in_catchment_enrolment",
        op=">=",
        unit="share",
        stages=STAGES,
        compute=judge_catchments,
        formula=msg(
            "Σ in_zone_pupils / Σ pupils over public day schools in cities and towns; without it by the zones and the"
            " model, or an upper bound by zones and rolls."
        ),
        trap=msg("Boarding and private schools and rural ones are not part of it. Only addresses prove it."),
    ),
    InspectionItem(
        "G15",
        "quality",
        "guarantee",
        msg("Children of migrant workers in public schools or places bought for them"),
        msg("The list of migrants' children by school, and of places bought."),
        key="migrant_children_public_places",
        op=">=",
        unit="share",
        compute=judge_migrants,
        formula=msg("Σ migrant_pupils of public schools / Σ migrant_pupils: a lower bound of the share."),
        trap=msg("Places bought in private schools count too; the data do not hold them."),
    ),
)
_GUARANTEE_PAPER = (
    _paper(
        "G15.left_behind",
        "guarantee",
        msg("Children left behind by migrant parents are cared for"),
        msg("The files on children left behind, and who looks after them."),
        key="left_behind_care_evidence",
    ),
    _paper(
        "G1",
        "guarantee",
        msg("The layout of schools is planned well"),
        msg("The layout plan with its map and this comparison of options, adopted and published."),
        key="layout_plan_evidence",
    ),
    _paper(
        "G2",
        "guarantee",
        msg("Town and country alike: building standards, posts, funds per pupil, equipment"),
        msg("The four county standards, with their dates, and the allocations by school."),
        key="urban_rural_unified_standards",
    ),
    InspectionItem(
        "G6",
        "quality",
        "guarantee",
        msg("Schools below 100 pupils are funded as if they had 100"),
        msg("The allocation of funds by school."),
        key="small_school_funding_floor",
        compute=tell_small_schools,
        decides=False,
        trap=msg("Data tell which schools are small, not how they are funded."),
    ),
    InspectionItem(
        "G7",
        "quality",
        "guarantee",
        msg("Public funds per pupil of special schools"),
        msg("The budget of the special school."),
        key="special_school_public_funds_per_pupil",
        op=">=",
        unit="cny",
        trap=msg("8,000 yuan; one source has an older value of 6,000."),
    ),
    _paper(
        "G8",
        "guarantee",
        msg("Teachers are paid no less than local civil servants"),
        msg("The comparison of yearly pay by the finance office."),
        key="teacher_pay_evidence",
    ),
    _paper(
        "G10",
        "guarantee",
        msg("The county allocates posts between schools by need"),
        msg("The yearly allocation of posts and titles."),
        key="post_allocation_evidence",
    ),
    InspectionItem(
        "G14",
        "quality",
        "guarantee",
        msg("Places of good senior schools that are allotted to junior schools"),
        msg("The allotment by junior school, with the tilt to rural ones."),
        key="good_senior_quota_share",
        op=">=",
        unit="share",
    ),
)
_QUALITY = (
    InspectionItem(
        "Q1",
        "quality",
        "quality",
        msg("Junior pupils who stay to the end of grade 9"),
        msg("The register of transfers, graduates and deaths of the cohort."),
        key="junior_retention_3y",
        op=">=",
        unit="share",
        compute=tell_retention,
        decides=False,
        formula=msg("(graduates − transfers in + transfers out) / (roll of grade 7 three years before − deaths)."),
        trap=msg("Transfers in are taken off, transfers out are added: the opposite inflates it."),
    ),
    InspectionItem(
        "Q2",
        "quality",
        "quality",
        msg("Disabled children in school"),
        msg("The register of disabled children with school or home teaching."),
        key="disabled_enrolment",
        op=">=",
        unit="share",
    ),
    _paper(
        "Q3",
        "quality",
        msg("Every school has a charter and manages digitally"),
        msg("Charters, and the platform."),
        key="school_charter_evidence",
    ),
    InspectionItem(
        "Q4",
        "quality",
        "quality",
        msg("Training of teachers, of the public funds of schools"),
        msg("The accounts of every school."),
        key="training_spend_share",
        op=">=",
        unit="share",
        trap=msg("Every school has to reach it, not only the county as a whole."),
    ),
    _paper(
        "Q5",
        "quality",
        msg("Teachers use digital means in teaching"),
        msg("Lesson plans, and the use of the platform."),
        key="ict_teaching_evidence",
    ),
    _paper(
        "Q6",
        "quality",
        msg("Moral education and school culture"),
        msg("Plans and records of activities."),
        key="moral_education_evidence",
    ),
    _paper(
        "Q7",
        "quality",
        msg("All courses are taught, with a full timetable"),
        msg("Timetables of every class."),
        key="full_curriculum_evidence",
    ),
    _paper(
        "Q8",
        "quality",
        msg("No excessive load of homework"),
        msg("Rules on homework, and checks of them."),
        key="no_excess_load_evidence",
    ),
    InspectionItem(
        "Q9",
        "quality",
        "quality",
        msg("Difference between schools in the national monitoring of quality, every subject at level III or above"),
        msg("The county report of the national monitoring."),
        key="achievement_between_school_rate",
        op="<",
        unit="ratio",
        trap=msg("This rate (校际差异率) is not the coefficient of variation (差异系数): it is read from the report."),
    ),
)
_OTHERS = (
    InspectionItem(
        "S-rec",
        "quality",
        "recognition",
        msg("Recognition by the public"),
        msg("The survey of parents, teachers, deputies and others."),
        key="public_recognition",
        op=">=",
        unit="share",
    ),
    _paper(
        "V.exams",
        "veto",
        msg("No admission by examination"),
        msg("Rules of admission, and complaints with their answers."),
        key="veto_item",
    ),
    _paper(
        "V.choice",
        "veto",
        msg("No choice of school against the rules"),
        msg("Admissions from outside the catchment, with reasons."),
        key="veto_item",
    ),
    _paper(
        "V.key_school", "veto", msg("No key schools"), msg("A statement, and the allocation of means."), key="veto_item"
    ),
    _paper("V.key_class", "veto", msg("No key classes"), msg("How classes are made up, by school."), key="veto_item"),
    _paper(
        "V.recognition",
        "veto",
        msg("Recognition by the public is not low"),
        msg("The same survey as for the recognition by the public."),
        key="veto_item",
    ),
)
_BASIC = (
    InspectionItem(
        "B6",
        "basic",
        "precondition",
        msg("Every school meets the basic standard of its province"),
        msg("The provincial standard, and the table of schools against it."),
        key="basic_standard_precondition",
    ),
    InspectionItem(
        "B3",
        "basic",
        "resources",
        msg("Composite coefficient of variation: the mean of the eight"),
        msg("The table of the eight coefficients by stage."),
        key="composite_cv_2012",
        op="<=",
        unit="ratio",
        stages=STAGES,
        compute=judge_composites,
        formula=msg("(CV₁ + … + CV₈) / 8, each weighted by pupils."),
        trap=msg("The limits 0.65 and 0.55 are from memory: nobody read them in the text. Check them before citing."),
    ),
    InspectionItem(
        "B4",
        "basic",
        "government",
        msg("Score of the work of the county government"),
        msg("The score sheet of the province, 17 items in four parts."),
        key="government_work_score_2012",
        op=">=",
        unit="points",
        trap=msg("The pass mark of 85 is from memory."),
    ),
    InspectionItem(
        "B5",
        "basic",
        "recognition",
        msg("Satisfaction of the public"),
        msg("The survey of the public."),
        key="satisfaction_2012",
        op=">=",
        unit="share",
    ),
)

_NUMBERED = sorted(
    (*_GUARANTEE_DATA, *_GUARANTEE_PAPER), key=lambda item: (int(item.id[1:].partition(".")[0]), item.id)
)
INSPECTION_ITEMS: tuple[InspectionItem, ...] = (*_RESOURCES, *_NUMBERED, *_QUALITY, *_OTHERS, *_BASIC)
"""Every item, in the order of the inspection."""
