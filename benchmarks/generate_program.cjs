"use strict";
/*
 * Writes the CDKTF program in JavaScript that declares the same resources as a synthesized stack.
 *
 *   node generate_program.cjs <cdk.tf.json> <folder of node_modules> <output file> eager|submodules
 *
 * The program it writes: node <output file> <folder of node_modules> <output folder>. Names and shapes of the
 * arguments come from the provider's own type information (.jsii), so that nested blocks are named as a user
 * would and the keys of maps (tags, dimensions) stay as they are. What has no argument (depends_on, lifecycle)
 * becomes an override. References are literal `${…}` strings already: less work than any real program has.
 */
const fs = require("node:fs");
const path = require("node:path");

const [source, modules, target, style] = process.argv.slice(2);
const packageFolder = path.join(modules, "@cdktf", "provider-aws");
const document = JSON.parse(fs.readFileSync(source, "utf8"));
const { types } = JSON.parse(fs.readFileSync(path.join(packageFolder, ".jsii"), "utf8"));
const files = Object.fromEntries(
  [
    ...fs
      .readFileSync(path.join(packageFolder, "lib", "index.js"), "utf8")
      .matchAll(/^exports\.(\w+) = require\("\.\/([^"]+)"\);$/gm),
  ].map(([, name, file]) => [name, file]),
);

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const plain = (name) => name.replace(/_/g, "").toLowerCase();

/** The class of a submodule that extends the given cdktf class. */
function classOf(submodule, base) {
  const prefix = `@cdktf/provider-aws.${submodule}.`;
  const found = Object.values(types).find(({ fqn, base: of }) => fqn.startsWith(prefix) && of === `cdktf.${base}`);
  if (!found) {
    throw new Error(`no ${base} in ${submodule}`);
  }
  return found;
}

/** The struct among the alternatives of a type, and whether it comes in an array. */
function structOf(type) {
  for (const one of type?.union?.types ?? [type]) {
    if (one?.collection?.kind === "array") {
      const inner = structOf(one.collection.elementtype);
      return inner && { ...inner, array: true };
    }
    if (types[one?.fqn]?.kind === "interface") {
      return { struct: types[one.fqn], array: false };
    }
  }
  return undefined;
}

/** A value of the synthesized JSON as the argument that it was made from. */
function toArgument(value, type) {
  const found = structOf(type);
  if (!found || typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((each) => toArgument(each, type));
  }
  return toArguments(value, found.struct).known;
}

/** Parts a body into the properties that a struct has, renamed, and the rest. */
function toArguments(body, struct) {
  const properties = Object.fromEntries((struct.properties ?? []).map((each) => [plain(each.name), each]));
  const known = {};
  const rest = {};
  for (const [key, value] of Object.entries(body)) {
    const property = properties[plain(key)];
    if (property) {
      known[property.name] = toArgument(value, property.type);
    } else {
      rest[key] = value;
    }
  }
  return { known, rest };
}

const used = new Set();

/** The statements that declare one object. */
function declare(submodule, base, id, body, logicalId) {
  used.add(submodule);
  const { fqn, name } = classOf(submodule, base);
  const { "//": _, ...attributes } = body;
  const { known, rest } = toArguments(attributes, types[`${fqn}Config`]);
  const lines = [`const object = new aws.${submodule}.${name}(stack, ${JSON.stringify(id)}, ${JSON.stringify(known)});`];
  if (logicalId) {
    lines.push(`object.overrideLogicalId(${JSON.stringify(logicalId)});`);
  }
  for (const [key, value] of Object.entries(rest)) {
    lines.push(`object.addOverride(${JSON.stringify(key)}, ${JSON.stringify(value)});`);
  }
  return `{ ${lines.join("\n  ")} }`;
}

const statements = [];
for (const body of document.provider?.aws ?? []) {
  statements.push(declare("provider", "TerraformProvider", "aws", body));
}
for (const [section, prefix, base] of [
  ["data", "data_aws_", "TerraformDataSource"],
  ["resource", "", "TerraformResource"],
]) {
  for (const [type, bodies] of Object.entries(document[section] ?? {})) {
    const submodule = camel(type.replace(/^aws_/, prefix));
    for (const [name, body] of Object.entries(bodies)) {
      statements.push(declare(submodule, base, `${section}-${type}-${name}`, body, name));
    }
  }
}
for (const [name, { value, description }] of Object.entries(document.output ?? {})) {
  const [id, options] = [JSON.stringify(`output-${name}`), JSON.stringify({ value, description })];
  statements.push(`new cdktf.TerraformOutput(stack, ${id}, ${options}).overrideLogicalId(${JSON.stringify(name)});`);
}

const imports = [...used].map((name) => `  ${name}: require("@cdktf/provider-aws/lib/${files[name]}"),`);
const aws = style === "eager" ? 'require("@cdktf/provider-aws")' : `{\n${imports.join("\n")}\n}`;
fs.writeFileSync(
  target,
  `"use strict";
const [modules, outdir] = process.argv.slice(2);
require = require("node:module").createRequire(modules + "/");
const cdktf = require("cdktf");
const aws = ${aws};
const app = new cdktf.App({ outdir });
const stack = new cdktf.TerraformStack(app, "aws");
new cdktf.LocalBackend(stack, { path: "bench.tfstate" });
${statements.join("\n")}
app.synth();
`,
);
