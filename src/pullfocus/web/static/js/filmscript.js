/** Film script: what a film is focused on from when on, as it is edited here; a focus script in and out. */

import { t } from './strings.js';

const SAME_S = 1e-3;
const APART_S = 0.01;
const at = (a_s, b_s) => Math.abs(a_s - b_s) < SAME_S;

/**
 * @typedef {{name: string, given: boolean, role: any}} Subject given: came with a script, so that its lane
 *     stays without a dot; role: where it is at one moment, as the script says it
 * @typedef {{at_s: number, subject: Subject | null, plane: any, strength: string, pull_s: number, easing: string, more: any}} Decision
 *     plane: what a decision on no subject focuses on; more: what is kept as it came
 */

export class FilmScript {
  constructor() {
    /** @type {Subject[]} */
    this.subjects = [];
    /** @type {Decision[]} */
    this.decisions = [];
    this.apertures = [];
  }

  /** Take over a focus script as the program tells it. */
  static of({ subjects, decisions, apertures }) {
    const script = new FilmScript();
    script.subjects = Object.entries(subjects).map(([name, role]) => ({ name, given: true, role }));
    script.decisions = decisions.map(({ at_s, focus, strength, pull_s, easing, ...more }) => {
      const subject = script.subjects.find(({ name }) => name === focus.subject) ?? null;
      return { at_s, subject, plane: subject ? null : focus, strength, pull_s, easing, more };
    });
    script.apertures = apertures;
    return script;
  }

  /** The focus script; null leaves it to the program to find the subject. */
  get content() {
    if (!this.decisions.length) return null;
    return {
      version: 1,
      subjects: Object.fromEntries(this.subjects.map(({ name, role }) => [name, role])),
      decisions: this.decisions.map(({ at_s, subject, plane, strength, pull_s, easing, more }) => (
        { at_s, focus: subject ? { subject: subject.name } : plane, strength, pull_s, easing, ...more })),
      apertures: this.apertures,
    };
  }

  copy() {
    return Object.assign(new FilmScript(), structuredClone({ ...this }));
  }

  /** Something was tapped on the frame of a moment: follow it from there on. */
  tap(at_s, point) {
    const known = this.subjects.filter((one) => at(one.role.at_s, at_s));
    const boxed = known.find(({ role }) => role.box && within(role.box, point));
    const tapped = known.find((one) => !one.given);
    if (!boxed && !tapped) this.subjects.push({ name: this.freeName(), given: false, role: { at_s, point } });
    else if (!boxed) tapped.role.point = point;
    const meant = boxed ?? tapped ?? this.subjects.at(-1);
    const decided = this.decisions.some((one) => one.subject === meant && at(one.at_s, at_s));
    if (!decided) this.decideOn(meant, at_s); // a tap again is the same decision, on a better point
  }

  freeName() {
    let n = 1;
    while (this.subjects.some(({ name }) => name === t('lane', { n }))) n += 1;
    return t('lane', { n });
  }

  /** Where a subject is that is known from this moment on, the one in focus first. */
  aimAt(at_s) {
    const begins = this.decisions.find((one) => at(one.at_s, at_s))?.subject;
    const known = [begins, ...this.subjects].filter((one) => one && at(one.role.at_s, at_s));
    const [aim] = known.map(({ role: { point, box } }) => point ?? (box && [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])).filter(Boolean);
    return aim ?? null;
  }

  /** From a moment on, focus on a subject that is known; one decision a moment. */
  decideOn(subject, at_s) {
    const from_s = Math.max(at_s, subject.role.at_s);
    this.decisions = this.decisions.filter((one) => !at(one.at_s, from_s));
    this.decisions.push({ at_s: from_s, subject, plane: null, strength: 'strong', pull_s: 0.6, easing: 'smooth', more: {} });
    this.tidy();
  }

  /** The decision that holds at a moment; before the first one, the first. */
  inForce(at_s) {
    return this.decisions.findLast((one) => one.at_s <= at_s + SAME_S) ?? this.decisions[0] ?? null;
  }

  drop(decision) {
    this.decisions = this.decisions.filter((one) => one !== decision);
    this.tidy();
  }

  /** Take a subject out, with all its decisions. */
  remove(subject) {
    this.decisions = this.decisions.filter((one) => one.subject !== subject);
    for (const { more } of this.decisions) if (more.also) more.also = more.also.filter((name) => name !== subject.name);
    this.subjects = this.subjects.filter((one) => one !== subject);
  }

  /** A subject is known from its own moment on. */
  allowed(decision, at_s, end_s) {
    const from_s = decision.subject?.role.at_s ?? 0;
    return Math.max(Math.min(at_s, end_s), from_s);
  }

  /** Let a decision begin at another time, a little beside any other. */
  move(decision, wished_s, end_s) {
    let at_s = this.allowed(decision, wished_s, end_s);
    const taken = (time_s) => this.decisions.some((one) => one !== decision && Math.abs(one.at_s - time_s) < APART_S / 2);
    while (taken(at_s)) at_s += APART_S;
    decision.at_s = at_s;
    this.tidy();
  }

  /** Keep decisions in order, and of the tapped subjects those that they speak of. */
  tidy() {
    this.decisions.sort((a, b) => a.at_s - b.at_s);
    const spoken = (subject) => this.decisions.some((one) => one.subject === subject || one.more.also?.includes(subject.name));
    this.subjects = this.subjects.filter((subject) => subject.given || spoken(subject));
  }
}

const within = ([left, top, right, bottom], [x, y]) => x >= left && x <= right && y >= top && y <= bottom;
