"use strict";
// The dashboard asks the API for all it shows: a full look every few seconds, operations as they happen.
const API = "api/cloud";
const LOOK_SECONDS = 5;
const PHASES = {
  serving: "on duty", booting: "starting", leaving: "on its way out", held: "drained on purpose",
  lost: "not seen", dead: "dead", orphan: "known to nobody",
};
let key = sessionStorage.getItem("aether-key") || "";
let operations = new Map();
let lastEvent = "";
let role = "VIEWER";

const $ = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function headers(more = {}) {
  return key ? { "X-API-Key": key, ...more } : more;
}

async function ask(path, options = {}) {
  const used = key;
  const answer = await fetch(`${API}${path}`, { ...options, headers: headers(options.headers) });
  const body = await answer.json().catch(() => ({}));
  const wrong = body.type === "urn:aether-infra:problem:wrong-key";
  if (answer.status === 401 || wrong) {
    if (used === key) await login(wrong ? "That key is not known." : "");
    return ask(path, options);
  }
  if (!answer.ok) throw new Error(body.detail || body.title || `HTTP ${answer.status}`);
  return body;
}

let asking = null;
function login(problem) {
  if (asking) return asking;
  $("login-problem").textContent = problem;
  $("login").showModal();
  asking = new Promise((done) => {
    $("login").addEventListener("close", () => {
      key = $("key").value.trim();
      sessionStorage.setItem("aether-key", key);
      $("key").value = "";
      asking = null;
      done();
    }, { once: true });
  });
  return asking;
}
$("login").addEventListener("cancel", (event) => event.preventDefault());

function when(text) {
  return text ? new Date(text).toLocaleTimeString() : "";
}

function showPlace(place) {
  const { cluster, provider, region, compute } = place.facts;
  role = place.role;
  document.title = `${cluster} · Aether`;
  $("cluster").textContent = cluster;
  const seat = place.leader ? "this replica leads" : "this replica follows";
  $("place").textContent = [provider, region, compute, seat, `you are ${place.name} (${role})`].filter(Boolean).join(" · ");
  $("scale").hidden = role === "VIEWER" || !place.managed;
}

function showScale(scale, decisions) {
  const figure = (value, text) => element("div", { class: "figure" }, element("b", {}, String(value ?? "–")), element("span", {}, text));
  $("figures").replaceChildren(
    figure(scale.desired, `desired (${scale.mode === "fixed" ? `set by ${scale.set_by}` : "by the load"})`),
    figure(scale.actual, "there or coming"),
    figure(scale.serving, "on duty"),
    figure(`${scale.minimum}–${scale.maximum}`, "bounds"),
    figure(scale.core, "core nodes besides"),
  );
  $("reason").textContent = scale.reason;
  $("holds").replaceChildren(...(decisions[0]?.holds || []).map((hold) => element("li", {}, hold)));
  const count = $("count");
  count.min = scale.minimum;
  count.max = scale.maximum;
  if (document.activeElement !== count && !count.value) count.value = scale.count ?? scale.desired ?? scale.minimum;
  drawChart(decisions, scale.maximum);
}

function svg(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function drawChart(decisions, maximum) {
  const points = decisions.slice().reverse();
  if (points.length < 2) {
    $("chart").replaceChildren();
    return;
  }
  const width = Math.max(280, $("chart").clientWidth), height = 130, left = 24, right = 130, top = 10, bottom = 22;
  const begin = Date.parse(points[0].at), end = Math.max(Date.now(), begin + 1000);
  const most = Math.max(1, maximum, ...points.map((point) => Math.max(point.desired, point.actual)));
  const x = (at) => left + (width - left - right) * (at - begin) / (end - begin);
  const y = (value) => top + (height - top - bottom) * (1 - value / most);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Elastic nodes over time: desired, there or coming, on duty" });
  for (const value of [0, most]) {
    picture.append(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    picture.append(svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  const ends = [];
  for (const name of ["desired", "actual", "serving"]) {
    let path = "";
    for (const point of points) {
      path += path ? `H${x(Date.parse(point.at))}V${y(point[name])}` : `M${x(Date.parse(point.at))} ${y(point[name])}`;
    }
    picture.append(svg("path", { class: name, d: `${path}H${x(end)}` }));
    ends.push([name, y(points[points.length - 1][name])]);
  }
  const names = { desired: "desired", actual: "there or coming", serving: "on duty" };
  ends.sort((one, other) => one[1] - other[1]);
  let free = -Infinity;
  for (const [name, at] of ends) {
    const place = Math.max(at, free);
    free = place + 14;
    const text = svg("text", { x: width - right + 30, y: place + 4 }, names[name]);
    picture.append(svg("path", { class: name, d: `M${width - right + 6} ${place}h18` }), text);
  }
  picture.append(svg("text", { x: left, y: height - 5 }, new Date(begin).toLocaleTimeString()));
  picture.append(svg("text", { x: width - right, y: height - 5, "text-anchor": "end" }, "now"));
  $("chart").replaceChildren(picture);
}

function showNodes(seen) {
  const zones = new Map();
  for (const node of seen.nodes) {
    const zone = node.zone || "no zone";
    if (!zones.has(zone)) zones.set(zone, []);
    zones.get(zone).push(node);
  }
  const order = (node) => `${node.role === "core" ? 0 : 1}${node.aether_id}${node.id}`;
  const boxes = [...zones.keys()].sort().map((zone) => element(
    "div", { class: "zone" }, element("h3", {}, `${zone} (${zones.get(zone).length})`),
    ...zones.get(zone).sort((one, other) => order(one).localeCompare(order(other))).map(nodeBox),
  ));
  $("zones").replaceChildren(...(boxes.length ? boxes : [element("p", { class: "muted" }, "no node")]));
  const counts = {};
  for (const node of seen.nodes) counts[node.phase] = (counts[node.phase] || 0) + 1;
  $("legend").replaceChildren(...Object.entries(counts).map(([phase, count]) => element("li", {}, `${count} ${PHASES[phase] || phase}`)));
  const state = $("state");
  const good = seen.reachable && seen.quorum !== false;
  state.className = `pill ${good ? "good" : "bad"}`;
  state.textContent = !seen.reachable ? "no node answers" : seen.quorum === false ? "no quorum" : "quorum";
  $("problem").hidden = !seen.problem;
  $("problem").textContent = seen.problem;
}

function nodeBox(node) {
  const title = node.aether_id || node.name || node.id;
  const facts = [node.id !== title ? node.id : "", node.size, node.address, node.target ? `target ${node.target}` : "not a target"];
  if (node.spot) facts.push("spot");
  if (node.interruption_at) facts.push(`taken back at ${when(node.interruption_at)}`);
  const load = node.cpu === null ? null : element("div", { class: "bar", title: `processor ${Math.round(node.cpu * 100)} %` }, element("i", {}));
  if (load) load.firstChild.style.width = `${Math.min(100, Math.round(node.cpu * 100))}%`;
  const kind = node.role === "core" ? (node.leader ? "core, leads" : "core") : "elastic";
  return element(
    "div", { class: `node ${node.phase}`, "data-node": node.id },
    element("div", { class: "head" }, element("b", {}, title), element("span", { class: "phase" }, `${kind} · ${PHASES[node.phase] || node.phase}`)),
    element("div", { class: "detail" }, facts.filter(Boolean).join(" · ")),
    load,
  );
}

function showOperations() {
  const newest = [...operations.values()].sort((one, other) => other.created_at.localeCompare(one.created_at)).slice(0, 15);
  $("operations").replaceChildren(...(newest.length ? newest.map(operationRow) : [element("p", { class: "muted" }, "none yet")]));
}

function operationRow(operation) {
  const open = !["succeeded", "failed", "cancelled"].includes(operation.state);
  const cancel = element("button", { type: "button", class: "quiet" }, "Cancel");
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    try {
      await ask(`/operations/${operation.id}/cancel`, { method: "POST" });
    } catch (error) {
      cancel.replaceWith(element("span", { class: "problem" }, error.message));
    }
  });
  const news = operation.news || operation.error || operation.reason;
  return element(
    "div", { class: "operation", "data-operation": operation.id },
    element("span", { class: "muted" }, when(operation.created_at)),
    element("span", { class: `state ${operation.state}` }, operation.state),
    element("span", { class: "what" }, `${operation.kind.replace("_", " ")} ${operation.node_id}`.trim(), ` by ${operation.actor}`),
    open && role !== "VIEWER" && !operation.cancel_requested ? cancel : element("span", {}),
    element("span", { class: "detail" }, open && operation.step ? `${operation.step}: ${news}` : news),
  );
}

let looking = false;
async function look() {
  // one look at a time: while a key is asked for, they would pile up
  if (looking || document.hidden) return;
  looking = true;
  try {
    showPlace(await ask(""));
    const [nodes, scale, decisions, found] = await Promise.all([
      ask("/nodes"), ask("/scale"), ask("/decisions?limit=200"), ask("/operations?limit=15"),
    ]);
    showNodes(nodes);
    showScale(scale, decisions.decisions);
    const news = new Map([...operations].map(([id, operation]) => [id, operation.news]));
    operations = new Map(found.operations.map((operation) => [operation.id, { ...operation, news: news.get(operation.id) }]));
    showOperations();
    $("updated").textContent = `updated ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    $("state").className = "pill bad";
    $("state").textContent = "no answer";
    $("problem").hidden = false;
    $("problem").textContent = error.message;
  } finally {
    looking = false;
  }
}

function shown() {
  return document.hidden
    ? new Promise((done) => document.addEventListener("visibilitychange", done, { once: true })) : Promise.resolve();
}

let stream = new AbortController();
async function follow() {
  // fetch and not EventSource, which cannot send a key; only while it is seen, as a browser has six lines to a server
  for (;;) {
    await shown();
    await asking;
    stream = new AbortController();
    try {
      const answer = await fetch(`${API}/events`, {
        headers: headers(lastEvent ? { "Last-Event-ID": lastEvent } : {}), signal: stream.signal,
      });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const parts = text.split("\n\n");
        text = parts.pop();
        for (const part of parts) await take(part);
      }
    } catch {
      // the line is down; the next look says so
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

async function take(block) {
  const fields = Object.fromEntries(block.split("\n").filter((line) => !line.startsWith(":")).map((line) => {
    const at = line.indexOf(": ");
    return [line.slice(0, at), line.slice(at + 2)];
  }));
  if (!fields.data) return;
  if (fields.id) lastEvent = fields.id;
  const line = JSON.parse(fields.data);
  try {
    const operation = await ask(`/operations/${line.operation_id}`);
    operations.set(operation.id, { ...operation, news: line.text });
    showOperations();
  } catch {
    // gone, or no answer; the next look says so
  }
}

$("scale").addEventListener("submit", async (event) => {
  event.preventDefault();
  const mode = event.submitter ? event.submitter.value : "fixed";
  const body = mode === "auto" ? { mode } : { mode, count: Number($("count").value) };
  try {
    await ask("/scale", { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    $("scale-note").textContent = mode === "auto" ? "left to the load" : `set to ${body.count}`;
    await look();
  } catch (error) {
    $("scale-note").textContent = error.message;
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream.abort();
  else look();
});
addEventListener("pagehide", () => stream.abort());

look().then(follow);
setInterval(look, LOOK_SECONDS * 1000);
