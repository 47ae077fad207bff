"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const panel = document.getElementById("details");
  const hint = panel.firstElementChild;
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const picture = document.getElementById("picture");
  const zoom = document.getElementById("zoom");
  const parts = Array.from(document.querySelectorAll("[data-key], [data-flows]"));
  let kept = null;

  function make(name, text, into) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    if (into) into.append(element);
    return element;
  }

  function told(element) {
    if (element.dataset.key !== undefined) return [data.boxes[element.dataset.key]];
    const flows = element.dataset.flows.split(" ").map((name) => data.flows[name]).filter(Boolean);
    return flows.filter((flow, index) => flows.findIndex((other) => other.name === flow.name) === index);
  }

  function show(element) {
    panel.replaceChildren();
    for (const entry of told(element)) describe(entry);
    panel.scrollTop = 0;
  }

  function describe(entry) {
    make("h2", entry.name, panel);
    make("p", entry.kind, panel).className = "kind";
    if (entry.facts.length) {
      const list = make("ul", "", panel);
      for (const fact of entry.facts) make("li", fact, list);
    }
    if (!entry.resources.length) {
      make("p", "Outside of what is built, or made by the cloud itself.", panel).className = "none";
    }
    for (const number of entry.resources) resource(data.resources[number], entry.resources.length < 3);
  }

  function resource(entry, open) {
    const box = make("details", "", panel);
    box.open = open;
    const head = make("summary", "", box);
    make("code", entry.address, head);
    make("span", entry.type + ", stack " + entry.stack, head);
    const list = make("dl", "", box);
    for (const [name, value] of entry.arguments) {
      make("dt", name, list);
      make("dd", value, list);
    }
  }

  function rest() {
    if (kept) show(kept);
    else panel.replaceChildren(hint);
  }

  function keep(element) {
    if (kept) kept.classList.remove("kept");
    kept = element;
    if (kept) kept.classList.add("kept");
    rest();
  }

  for (const part of parts) {
    part.addEventListener("mouseenter", () => show(part));
    part.addEventListener("mouseleave", rest);
    part.addEventListener("focus", () => show(part));
    part.addEventListener("blur", rest);
    part.addEventListener("click", (event) => {
      event.stopPropagation();
      keep(part);
    });
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        keep(part);
      }
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") keep(null);
  });
  picture.addEventListener("click", () => keep(null));

  function words(element) {
    const entries = told(element).filter(Boolean);
    const inner = entries.flatMap((entry) => entry.resources.map((number) => data.resources[number]));
    return JSON.stringify([entries.map((entry) => [entry.name, entry.kind, entry.facts]), inner]).toLowerCase();
  }

  const texts = new Map(parts.map((part) => [part, words(part)]));
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    picture.classList.toggle("searching", Boolean(wanted));
    for (const part of parts) {
      const hit = texts.get(part).includes(wanted);
      part.classList.toggle("dim", Boolean(wanted) && !hit);
      if (hit) count += 1;
    }
    found.textContent = wanted ? count + (count === 1 ? " part" : " parts") : "";
  });
  search.addEventListener("keydown", (event) => {
    const first = parts.find((part) => !part.classList.contains("dim"));
    if (event.key === "Enter" && search.value.trim() && first) first.focus();
  });
  zoom.addEventListener("click", () => {
    const actual = picture.classList.toggle("actual");
    zoom.setAttribute("aria-pressed", String(actual));
    zoom.textContent = actual ? "Fit the window" : "Actual size";
  });
})();
