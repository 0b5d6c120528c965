"""What a page needs for people who do not see it, do not see it well, or have no mouse: judged in the page itself.

Own checks instead of a library: they are the few that these pages can break, and they say what is wrong in a sentence.
"""

from __future__ import annotations

from tests.pages.browser import Page

_CHECK = r"""
(() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (e) => e.checkVisibility({ checkVisibilityCSS: true });
  const name = (e) => `<${e.tagName.toLowerCase()} ${e.id || e.className.baseVal || e.className}> "${e.textContent.trim().slice(0, 40)}"`;

  if (!/^(en|zh-CN)$/.test(document.documentElement.lang)) found.push("the document's language is not said");
  if (!document.title) found.push("no title");
  for (const tag of ["main", "nav", "h1"]) {
    if (all(tag).length !== 1) found.push(`${all(tag).length} times <${tag}>`);
  }
  let level = 0;
  for (const heading of all("h1, h2, h3, h4").filter(shown)) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) found.push(`${name(heading)} skips a level`);
    level = own;
  }
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`the id ${id} is there twice`);
  for (const e of all("[aria-labelledby], [aria-describedby]")) {
    for (const id of `${e.getAttribute("aria-labelledby") ?? ""} ${e.getAttribute("aria-describedby") ?? ""}`.split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) found.push(`${name(e)} points at ${id}, which is not there`);
    }
  }
  for (const e of all("input, select, textarea")) {
    if (![...(e.labels ?? [])].some((label) => label.textContent.trim()) && !e.ariaLabel) found.push(`${name(e)} has no label`);
  }
  for (const e of all("a, button, summary")) if (!e.textContent.trim() && !e.ariaLabel) found.push(`${name(e)} has no name`);
  for (const e of all("svg[role=img], meter, [role=region]")) if (!e.getAttribute("aria-label")) found.push(`${name(e)} says nothing`);
  for (const e of all("table")) if (!e.caption || !e.querySelector("th[scope=col]")) found.push(`${name(e)} has no caption or heads`);
  for (const e of all("fieldset")) if (!e.querySelector("legend")) found.push(`${name(e)} has no legend`);

  const parse = (text) => {
    const numbers = text.match(/-?[\d.]+(?:e-?\d+)?%?/g).map((n) => n.endsWith("%") ? parseFloat(n) / 100 : parseFloat(n));
    if (text.startsWith("color(srgb")) return [numbers[0] * 255, numbers[1] * 255, numbers[2] * 255, numbers[3] ?? 1];
    if (text.startsWith("rgb")) return [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1];
    throw new Error(`unknown colour ${text}`);
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(e) || e.closest(".unseen, .skip, script, svg, caption") || seen.has(e)) continue;
    seen.add(e);
    const style = getComputedStyle(e), back = ground(e), front = over(parse(style.color), back);
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${name(e)} has a contrast of ${ratio.toFixed(2)}`);
  }
  for (const e of all("body *").filter(shown)) {
    if (e.closest(".unseen, .skip, pre, .table, svg")) continue;
    const box = e.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1)) found.push(`${name(e)} sticks out of the screen`);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
  return found;
})()
"""


def barriers(page: Page) -> list[str]:
    """What is wrong, in sentences; empty when nothing is."""
    return page.run(_CHECK)


def invisible_focus(page: Page, steps: int) -> list[str]:
    """Goes through the page by Tab and names what does not show that it has the focus."""
    wrong: list[str] = []
    for _ in range(steps):
        page.press("Tab")
        said = page.run(
            "(() => { const e = document.activeElement; if (!e || e === document.body) return '';"
            " const shows = (x) => x && getComputedStyle(x).outlineStyle !== 'none' && parseFloat(getComputedStyle(x).outlineWidth) >= 2;"
            " return shows(e) || (e.matches('input') && shows(e.nextElementSibling)) ? '' : e.outerHTML.slice(0, 120); })()"
        )
        if said:
            wrong.append(said)
    return wrong
