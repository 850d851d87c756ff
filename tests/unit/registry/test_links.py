import pytest

from dockpass.registry.links import is_odd, next_page


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('</v2/a/tags/list?n=2&last=b>; rel="next"', "/v2/a/tags/list?n=2&last=b"),
        ("</v2/a?x=1,2>; rel=next", "/v2/a?x=1,2"),
        ('</first>; rel="first", </second>; title="a, b"; rel="next"', "/second"),
        ('</a>; REL="prefetch NEXT"', "/a"),
        ('</a>; rel="prev"', ""),
        ('</a>; rel="nextish"', ""),
        ('</a; rel="next"', ""),
        ("/a; rel=next", ""),
        ("", ""),
    ],
)
def test_the_target_of_the_next_relation_is_found(header: str, target: str) -> None:
    assert next_page(header) == target


@pytest.mark.parametrize(
    ("header", "odd"),
    [
        ("", False),
        ('</a>; rel="prev"', False),
        ('</a>; rel="first", </b>; rel=last,', False),
        ("</a>", True),
        ("</a>; rel='next'", True),
        ('</a>; rel="next', True),
        ('/a; rel="next"', True),
        ("next", True),
        ("</a>" * 2000, True),
    ],
)
def test_a_header_that_may_mean_more_is_odd(header: str, odd: bool) -> None:
    assert is_odd(header) is odd


def test_a_parameter_without_a_value_hides_nothing() -> None:
    assert next_page('</a>; crossorigin; rel="next"') == "/a"
