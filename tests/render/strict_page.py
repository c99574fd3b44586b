"""A strict reader of HTML: what a browser would forgive is an error here."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}
FETCHING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background", "formaction"}
FORBIDDEN = {"script", "iframe", "object", "embed", "link", "base", "form", "img", "foreignobject"}


class StrictPage(HTMLParser):
    """Collects elements, ids, references and visible text; raises on anything unbalanced."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.labelled_by: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.styles = ""
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}"
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.labelled_by += (value or "").split()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> inside {self.open}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles += data
        else:
            self.text += data

    def check_self_contained(self) -> None:
        """No element or attribute that loads or runs anything."""
        assert not FORBIDDEN & set(self.tags)
        for tag, name, value in self.attributes:
            assert name not in FETCHING, f"<{tag} {name}={value!r}>"
            assert not name.startswith("on"), f"<{tag} {name}>"
            assert "url(" not in value or value.startswith("url(#"), f"<{tag} {name}={value!r}>"
        assert "@import" not in self.styles
        assert "url(" not in self.styles

    def check_references(self) -> None:
        """Ids are unique, and labels exist."""
        assert len(self.ids) == len(set(self.ids))
        assert set(self.labelled_by) <= set(self.ids)
        wanted = {value[len("url(#") : -1] for _, _, value in self.attributes if value.startswith("url(#")}
        assert wanted <= set(self.ids)
