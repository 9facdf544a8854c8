// Talking to the bridge: one helper for every request, and one kind of error with a sentence to show.

/** What the bridge refused, or why it could not be asked. `kind` is the last part of the problem's type. */
export class BridgeError extends Error {
  constructor(detail, status, kind) {
    super(detail);
    this.status = status; // 0: the bridge did not answer
    this.kind = kind;
  }
  /** Whether the same request may succeed later without anything changed in it. */
  get passing() {
    return [0, 401, 429, 503].includes(this.status) || this.kind === "csrf";
  }
}

const listeners = new Set();
let reachable = "yes"; // "yes", "gone" (does not answer) or "closed" (answers, but knows no session of ours)
let waiting = 0;

/** Be told when the bridge goes away or comes back: `listener("yes" | "gone" | "closed")`. */
export function onReach(listener) {
  listeners.add(listener);
  listener(reachable);
}

function reach(now) {
  if (now === reachable) return;
  reachable = now;
  for (const listener of listeners) listener(now);
  if (now !== "yes" && !waiting) waiting = setTimeout(lookAgain, 2000);
}

async function lookAgain() {
  waiting = 0;
  try {
    await renewToken();
    reach("yes");
  } catch {
    if (reachable !== "yes") waiting = setTimeout(lookAgain, 2000);
  }
}

const token = document.querySelector("meta[name=csrf-token]");

/** The session's token as it is now; another login in another window has made a new one. */
async function renewToken() {
  const told = await once("GET", "/session");
  token.content = told.csrf;
}

async function once(method, path, body, headers = {}) {
  const file = body instanceof Blob;
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET") sent["X-CSRF-Token"] = token.content;
  if (body !== undefined) sent["Content-Type"] = file ? "application/octet-stream" : "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined || file ? body : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    reach("gone");
    throw new BridgeError("Keywright does not answer; it may have been ended.", 0, "gone");
  }
  if (answer.ok) {
    const text = await answer.text();
    if (path !== "/session") reach("yes");
    return text ? JSON.parse(text) : null;
  }
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // No problem details: the sentence below has to do.
  }
  if (answer.status === 401) reach("closed");
  const detail = told.detail || `Keywright answered with ${answer.status}.`;
  throw new BridgeError(detail, answer.status, (told.type || "").split(":").at(-1));
}

/** Ask the bridge; a `body` that is a file is sent as it is. Gives the parsed JSON; throws `BridgeError`. */
export async function ask(method, path, { body, key } = {}) {
  const headers = key ? { "Idempotency-Key": key } : {};
  try {
    return await once(method, path, body, headers);
  } catch (error) {
    if (error.kind !== "csrf") throw error;
    await renewToken();
    return once(method, path, body, headers);
  }
}

/** `get("/v1/jobs", {limit: 10})`; what is null or empty is left out of the address. */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return ask("GET", text ? `${path}?${text}` : path);
}

export const post = (path, body, key) => ask("POST", path, { body, key });

/** A new idempotency key. */
export const newKey = () => crypto.randomUUID();
