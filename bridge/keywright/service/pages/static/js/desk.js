// The photos on the table: what is known of each, deciding on them at once here and then in the bridge, and undo.

import { get, post } from "./bridge.js";
import { complain, say } from "./messages.js";
import { count, many, nameOf } from "./dom.js";
import { decide } from "./outbox.js";

const AT_ONCE = 200;
const MOST_UNDONE = 200;
const channel = new BroadcastChannel("keywright.decided");

/** The address of a photo's picture. */
export const thumbnail = (photo, size = "small") => `/thumbnails/${photo.id ?? photo.photo}/${size}?v=${encodeURIComponent(photo.picture)}`;

export const open = (photo) => photo.keywords.filter((one) => one.state === "suggested");
export const sure = (photo) => open(photo).filter((one) => one.sure);

export class Desk {
  /** `changed(ids)` is called when something is known anew of these photos. */
  constructor(changed) {
    this.changed = changed;
    this.photos = new Map();
    this.asked = new Map(); // the requests under way, by photo
    this.done = [];
    this.version = null;
    this.undone = () => {};
    this.decided = () => {};
    channel.onmessage = ({ data }) => this.#again(data.filter((id) => this.photos.has(id)));
  }

  get(id) {
    return this.photos.get(id);
  }

  /** Ask for those of these photos that are not known yet; resolves once all of them are. */
  async need(ids) {
    const missing = ids.filter((id) => !this.photos.has(id) && !this.asked.has(id));
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      const part = missing.slice(start, start + AT_ONCE);
      const answer = this.#load(part).catch(complain);
      for (const id of part) this.asked.set(id, answer);
      answer.then(() => part.forEach((id) => this.asked.delete(id)));
    }
    await Promise.all(new Set(ids.map((id) => this.asked.get(id))));
  }

  async #load(ids) {
    const { photos } = await post("/v1/review/photos", { photos: ids });
    for (const photo of photos) this.photos.set(photo.id, photo);
    this.changed(photos.map((photo) => photo.id));
  }

  async #again(ids) {
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      await this.#load(ids.slice(start, start + AT_ONCE)).catch(complain);
    }
  }

  /** Ask anew for everything that is known, because another window or program may have changed it. */
  reload(ids) {
    return this.#again(ids.filter((id) => this.photos.has(id)));
  }

  forget() {
    this.photos.clear();
  }

  /**
   * Decide: `[{id, keyword, state}]` with state "accepted", "rejected" or "suggested" (take back). Shown at once, sent
   * in the background. `what` is what undo calls it. `confidence` says of a photo that is not on the table that the
   * keyword is suggested there.
   */
  decide(made, what) {
    const before = [];
    const sent = [];
    for (const { id, keyword, state, confidence } of made) {
      const photo = this.photos.get(id);
      const known = photo
        ? photo.keywords.find((one) => one.keyword === keyword)
        : confidence !== undefined && { state: "suggested", confidence };
      if (known?.state === state || known?.state === "assigned") continue;
      before.push({ id, keyword, state: known?.state ?? "none", confidence: known?.confidence ?? undefined });
      sent.push(this.#message(id, keyword, state, known));
      if (photo) this.#put(photo, keyword, state, known);
    }
    if (!sent.length) return Promise.resolve();
    this.done.push({ what, before });
    if (this.done.length > MOST_UNDONE) this.done.shift();
    return this.#send(sent);
  }

  #message(photo, keyword, state, known) {
    const decision = state === "suggested" || state === "none" ? "undecided" : state;
    return { photo, keyword, decision, confidence: known?.confidence ?? null, model_version: known?.confidence ? this.version : null };
  }

  #put(photo, keyword, state, known) {
    if (state === "none") photo.keywords = photo.keywords.filter((one) => one.keyword !== keyword);
    else if (known) known.state = state;
    else photo.keywords.push({ keyword, state, confidence: null, sure: true, prime: false });
  }

  async #send(sent) {
    const ids = [...new Set(sent.map((one) => one.photo))];
    this.changed(ids);
    await decide(sent);
    channel.postMessage(ids);
    this.decided();
  }

  /** Take the last decisions back. */
  async undo() {
    const last = this.done.pop();
    if (!last) {
      say("There is nothing to undo in this window.");
      return;
    }
    const sent = [];
    for (const { id, keyword, state, confidence } of last.before) {
      const photo = this.photos.get(id);
      const known = photo ? photo.keywords.find((one) => one.keyword === keyword) : { confidence: confidence ?? null };
      sent.push(this.#message(id, keyword, state, known));
      if (photo) this.#put(photo, keyword, state, known);
    }
    say(`Undone: ${last.what}.`);
    await this.#send(sent);
    this.undone(sent.map((one) => one.photo));
  }

  /** Accept or reject on many photos: of `keyword`, or of all that is suggested there and sure. */
  async decideAll(ids, state, keyword = null) {
    await this.need(ids);
    const made = [];
    for (const id of ids) {
      const photo = this.photos.get(id);
      if (!photo) continue;
      const some = keyword ? open(photo).filter((one) => one.keyword === keyword) : sure(photo);
      made.push(...some.map((one) => ({ id, keyword: one.keyword, state })));
    }
    if (!made.length) {
      if (ids.length > 1) say("Nothing is suggested on these photos any more.");
      return;
    }
    const verb = state === "accepted" ? "accepted" : "rejected";
    const what = `${many(made.length, "suggestion")} ${verb}${keyword ? ` (${nameOf(keyword)})` : ""}`;
    const kept = this.decide(made, what);
    if (ids.length > 1) say(`${what[0].toUpperCase()}${what.slice(1)} on ${many(ids.length, "photo")}.`, { kind: "good", action: { label: "Undo", run: () => this.undo() } });
    await kept;
  }

  /** Give photos a keyword. */
  async give(ids, keyword) {
    await this.need(ids);
    await this.decide(ids.map((id) => ({ id, keyword, state: "accepted" })), `${nameOf(keyword)} on ${many(ids.length, "photo")}`);
    if (ids.length > 1) say(`${nameOf(keyword)} given to ${count(ids.length)} photos.`, { kind: "good", action: { label: "Undo", run: () => this.undo() } });
  }

  /** Mark a photo as a prime example of a keyword it carries, or no more. */
  async star(id, keyword) {
    const known = this.photos.get(id)?.keywords.find((one) => one.keyword === keyword);
    if (!known || !["assigned", "accepted"].includes(known.state)) return;
    const prime = !known.prime;
    try {
      await post(`/v1/review/photos/${id}/prime`, { keyword, prime });
      known.prime = prime;
      this.changed([id]);
      channel.postMessage([id]);
      say(prime ? `A prime example of ${nameOf(keyword)}: it weighs more in learning.` : `No prime example of ${nameOf(keyword)} any more.`);
    } catch (error) {
      complain(error);
    }
  }
}

/** The photos that speak for a keyword on a photo. */
export async function reasons(photo, keyword) {
  return (await get(`/v1/review/photos/${photo}/reasons`, { keyword })).photos;
}
