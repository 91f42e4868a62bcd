"use strict";

const SHOWN = 50;
// A browser holds all rows of an answer that it shows.
const MOST = 100000;
// Numbers of an array, and characters of a text in one line.
const NUMBERS = 6, LINE = 60;
const at = (id) => document.getElementById(id);
const headers = () => (at("token").value ? { Authorization: "Bearer " + at("token").value } : {});

function text(value) {
  if (value === null || value === undefined) return "";
  if (!Array.isArray(value)) return String(value);
  const cells = value.flat(Infinity).map(Number);
  const more = cells.length > NUMBERS ? ", … (" + cells.length.toLocaleString("en") + " numbers)" : "";
  return cells.slice(0, NUMBERS).map((each) => Number(each.toPrecision(4))).join(", ") + more;
}

// Whole numbers beyond 2^53 with all digits, where the browser gives them.
function exact(name, value, context) {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ? context.source : value;
}

function fill(table, names, rows) {
  const cell = (kind, value) => {
    const made = document.createElement(kind);
    made.textContent = text(value);
    if (typeof value === "number") made.className = "number";
    if (typeof value === "string" && value.length > LINE) made.className = "long";
    return made;
  };
  const line = (kind, values) => {
    const made = document.createElement("tr");
    made.append(...values.map((value) => cell(kind, value)));
    return made;
  };
  table.replaceChildren(line("th", names), ...rows.map((row) => line("td", row)));
}

function say(text, wrong = false) {
  at("message").textContent = text;
  at("message").className = wrong ? "error" : "";
}

function query(format) {
  const found = new URLSearchParams({ n: at("n").value });
  for (const name of ["class", "seed", "given"]) if (at(name).value) found.set(name, at(name).value);
  found.set("format", format);
  return "rows?" + found;
}

async function fetched(url) {
  const answer = await fetch(url, { headers: headers() });
  if (!answer.ok) {
    const known = await answer.json().catch(() => ({ error: answer.statusText }));
    at("token-label").hidden = answer.status !== 401 && !at("token").value;
    throw new Error(known.error);
  }
  return answer;
}

async function schema() {
  try {
    const known = await (await fetched("schema")).json();
    at("about").textContent =
      known.generator + ", " + known.columns.length + " columns, at most " +
      known.limits.max_rows.toLocaleString("en") + " rows a request" + (known.private ? ", private" : "");
    at("class-label").hidden = !known.classes.length;
    at("class").append(...known.classes.map((name) => new Option(name, name)));
    at("given-label").hidden = !known.conditions;
    const first = known.columns.find((c) => c.kind === "number" || c.categories?.length);
    at("given").placeholder = first ? JSON.stringify({ [first.name]: first.categories?.[0] ?? 1 }) : "";
    const kind = (c) => c.kind + (c.shape ? " " + c.shape.join(" × ") : "");
    fill(at("columns"), ["column", "kind", "categories"],
      known.columns.map((c) => [c.name + (c.name === known.target ? " (target)" : ""), kind(c), (c.categories || []).join(", ")]));
    at("notes").replaceChildren(...known.notes.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    say("");
  } catch (error) {
    at("about").textContent = "";
    say(error.message, true);
  }
}

async function show(event) {
  event.preventDefault();
  if (!at("columns").rows.length) await schema();
  try {
    at("request").textContent = "GET /" + query(at("format").value);
    if (at("n").valueAsNumber > MOST) {
      throw new Error("Rows: more than " + MOST.toLocaleString("en") + " are not shown; use Download");
    }
    const answer = await fetched(query("json"));
    const rows = JSON.parse(await answer.text(), exact);
    fill(at("rows"), Object.keys(rows[0]), rows.slice(0, SHOWN).map((row) => Object.values(row)));
    const more = rows.length > SHOWN ? ", the first " + SHOWN + " are shown" : "";
    say(rows.length.toLocaleString("en") + " rows of seed " + answer.headers.get("X-Seed") + more);
  } catch (error) {
    at("rows").replaceChildren();
    say(error.message, true);
  }
}

async function download() {
  try {
    const format = at("format").value;
    const answer = await fetched(query(format));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = "rows." + format;
    link.click();
    URL.revokeObjectURL(link.href);
    say("downloaded rows of seed " + answer.headers.get("X-Seed"));
  } catch (error) {
    say(error.message, true);
  }
}

at("form").addEventListener("submit", show);
at("download").addEventListener("click", download);
schema();
