/**
 * A call's input against the shape that the service publishes. SDKs check types and required members only; the service
 * answers ValidationException to the rest, which is checked here too: unknown members, enums, patterns, lengths, ranges.
 */
import type { ServiceModel, Shape } from "./models.ts";

/** What is wrong with an operation's input, each with its place: `Target.RoleArn: …`. */
export function conform(model: ServiceModel, operation: string, input: unknown): readonly string[] {
  const known = model.operations[operation];
  if (known === undefined) return [`there is no operation ${operation}`];
  if (known.input === undefined) return [];
  return check({ model, at: "" }, known.input.shape, input);
}

interface Place {
  readonly model: ServiceModel;
  readonly at: string;
}

function check(place: Place, shapeName: string, value: unknown): readonly string[] {
  const shape = place.model.shapes[shapeName];
  if (shape === undefined) return problem(place, `the model has no shape ${shapeName}`);
  switch (shape.type) {
    case "structure":
      return structure(place, shape, value);
    case "list":
      return list(place, shape, value);
    case "map":
      return map(place, shape, value);
    case "string":
      return text(place, shape, value);
    case "integer":
    case "long":
    case "float":
    case "double":
      return number(place, shape, value);
    case "boolean":
      return typeof value === "boolean" ? [] : problem(place, `${show(value)} is no boolean`);
    case "timestamp":
    case "blob":
      return [];
    default:
      return problem(place, `a shape of type ${shape.type} is not understood`);
  }
}

function structure(place: Place, shape: Shape, value: unknown): readonly string[] {
  if (!isRecord(value)) return problem(place, `${show(value)} is no structure`);
  const members = shape.members ?? {};
  const given = Object.keys(value).filter((name) => value[name] !== undefined);
  const problems = [
    ...(shape.required ?? []).filter((name) => !given.includes(name)).map((name) => `${name} is required`),
    ...given.filter((name) => members[name] === undefined).map((name) => `${name} is not a member`),
    ...(shape.union === true && given.length !== 1 ? [`takes one member, not ${given.length}`] : []),
  ].flatMap((says) => problem(place, says));
  for (const name of given) {
    const member = members[name];
    if (member !== undefined) problems.push(...check(inside(place, name), member.shape, value[name]));
  }
  return problems;
}

function list(place: Place, shape: Shape, value: unknown): readonly string[] {
  if (!Array.isArray(value)) return problem(place, `${show(value)} is no list`);
  const { member } = shape;
  return [
    ...within(place, shape, value.length, "entries"),
    ...(member === undefined
      ? []
      : value.flatMap((entry, index) => check(inside(place, String(index)), member.shape, entry))),
  ];
}

function map(place: Place, shape: Shape, value: unknown): readonly string[] {
  if (!isRecord(value)) return problem(place, `${show(value)} is no map`);
  const entries = Object.entries(value);
  return [
    ...within(place, shape, entries.length, "entries"),
    ...entries.flatMap(([name, entry]) => [
      ...(shape.key === undefined ? [] : check(inside(place, `the name ${name}`), shape.key.shape, name)),
      ...(shape.value === undefined ? [] : check(inside(place, name), shape.value.shape, entry)),
    ]),
  ];
}

function text(place: Place, shape: Shape, value: unknown): readonly string[] {
  if (typeof value !== "string") return problem(place, `${show(value)} is no text`);
  const problems = [...within(place, shape, Array.from(value).length, "characters")];
  if (shape.enum !== undefined && !shape.enum.includes(value)) {
    problems.push(...problem(place, `${show(value)} is none of ${shape.enum.join(", ")}`));
  }
  if (shape.pattern !== undefined && !patternOf(shape.pattern).test(value)) {
    problems.push(...problem(place, `${show(value)} does not match ${shape.pattern}`));
  }
  return problems;
}

function number(place: Place, shape: Shape, value: unknown): readonly string[] {
  if (typeof value !== "number" || !Number.isFinite(value)) return problem(place, `${show(value)} is no number`);
  const isWhole = shape.type === "integer" || shape.type === "long";
  if (isWhole && !Number.isInteger(value)) return problem(place, `${value} is no whole number`);
  return within(place, shape, value, "");
}

function within(place: Place, shape: Shape, size: number, unit: string): readonly string[] {
  const said = `${size} ${unit}`.trim();
  if (shape.min !== undefined && size < shape.min) return problem(place, `${said}; ${shape.min} is the least`);
  if (shape.max !== undefined && size > shape.max) return problem(place, `${said}; ${shape.max} is the most`);
  return [];
}

/** AWS matches the whole value. Some patterns are not valid with the flag that others need. */
export function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, "su");
  } catch {
    return new RegExp(`^(?:${pattern})$`, "s");
  }
}

function inside(place: Place, name: string): Place {
  return { model: place.model, at: place.at === "" ? name : `${place.at}.${name}` };
}

function problem(place: Place, says: string): string[] {
  return [place.at === "" ? says : `${place.at}: ${says}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= 100 ? json : `${json.slice(0, 100)}…`;
}
