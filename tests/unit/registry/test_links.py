import pytest

from dockpass.registry.links import next_page


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
