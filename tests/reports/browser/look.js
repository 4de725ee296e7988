// What the page looks like just now: evaluated by the test, never part of the page.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const named = (element) =>
    element.tagName.toLowerCase() + (element.id ? "#" + element.id : "") + (element.className.baseVal ?? element.className ? "." + (element.className.baseVal ?? element.className) : "") + " in " + (element.closest("section")?.id ?? "?") + ": " + element.textContent.trim().slice(0, 40);
  const shown = (element) => element.checkVisibility() && !element.closest(".unseen");

  // A chart is one drawing of some size with something in it.
  const charts = all("figure.chart");
  const blank = charts.filter((figure) => {
    const drawings = all(":scope > svg", figure).filter(shown);
    const box = drawings[0]?.getBoundingClientRect();
    const marks = drawings[0] ? all("rect, path, polygon, circle", drawings[0]) : [];
    const painted = (mark) => {
      const { fill, fillOpacity, stroke } = getComputedStyle(mark);
      return (fill !== "none" && Number(fillOpacity) > 0) || stroke !== "none";
    };
    const sized = marks.filter((mark) => {
      const { width, height } = mark.getBoundingClientRect();
      return (width > 0 || height > 0) && painted(mark) && !mark.matches(".rule, .base, .track");
    });
    return drawings.length !== 1 || box.width < 200 || box.height < 20 || sized.length === 0;
  });

  // Nothing sticks out of the page sideways but within a box that scrolls, and no text out of its drawing.
  const wide = document.documentElement.clientWidth;
  const outside = document.documentElement.scrollWidth > wide
    ? all("body *").filter((element) => shown(element) && !element.closest(".scroll") && element.getBoundingClientRect().right > wide + 1).map(named)
    : [];
  for (const text of all("figure.chart > svg text").filter(shown)) {
    const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    if (inner.left < outer.left - 3 || inner.right > outer.right + 3 || inner.bottom > outer.bottom + 3) outside.push(named(text));
  }

  // Text stands out from what is behind it by 4.5 to 1 (WCAG 2, AA).
  const parsed = (color) => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (above, a, below) => above.map((part, place) => part * a + below[place] * (1 - a));
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const { rgb, a } = parsed(getComputedStyle(e).backgroundColor);
      if (a > 0) layers.push({ rgb, a });
      if (a === 1) break;
    }
    return layers.reduceRight((below, { rgb, a }) => over(rgb, a, below), [255, 255, 255]);
  };
  const faint = [];
  const judge = (element, color, ground) => {
    const [light, dark] = [luminance(parsed(color).rgb), luminance(ground)].sort((l, r) => r - l);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faint.push(named(element) + " has " + ratio.toFixed(2));
  };
  for (const element of all("body *").filter(shown)) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const style = getComputedStyle(element);
    if (element instanceof SVGElement) {
      if (element.tagName !== "text") continue;
      let ground = behind(element.ownerSVGElement);
      const cell = element.classList.contains("cell") ? element.previousElementSibling : null;
      if (cell) {
        const fill = getComputedStyle(cell);
        ground = over(parsed(fill.fill).rgb, Number(fill.fillOpacity), ground);
      }
      judge(element, style.fill, ground);
    } else judge(element, style.color, behind(element));
  }

  const ids = all("[id]").map((element) => element.id);
  const references = all("[aria-labelledby], [aria-describedby], a[href^='#']").flatMap((element) =>
    ["aria-labelledby", "aria-describedby", "href"].flatMap((name) => (element.getAttribute(name) ?? "").replace("#", "").split(" ")));
  const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1]));
  const jumps = levels.filter((level, place) => level > (levels[place - 1] ?? 0) + 1);

  // Whoever jumps from region to region must be able to tell them apart.
  const regions = all("section[aria-labelledby], nav, [role=region]").map((region) => region.getAttribute("aria-labelledby") ?? region.getAttribute("aria-label"));

  return {
    sections: all("section.report").map((section) => section.id),
    charts: charts.map((figure) => figure.closest("section.report")?.id).filter(Boolean),
    panels: charts.filter((figure) => figure.closest(".glance")).length,
    blank_charts: blank.map(named),
    outside,
    faint,
    repeated_ids: ids.filter((id, place) => ids.indexOf(id) !== place),
    repeated_regions: regions.filter((name, place) => regions.indexOf(name) !== place),
    dangling: references.filter((id) => id && !ids.includes(id)),
    headings: jumps.concat(levels.filter((level) => level === 1).slice(1)),
    scripts: all("script, link, iframe, object, embed, img, [style], [onload], [onclick]").map(named),
    paper: luminance(behind(document.body)),
  };
})()
