"use strict";
/*
 * Preloaded by kernel.py into the node process that runs the jsii kernel; inert in any other process.
 *
 * A provider's lib/index.js is nothing but one `exports.vpc = require("./vpc");` per resource, which
 * reads every file of the package (2,200 for AWS) although a stack uses a few dozen. Here such an index
 * becomes one getter per line, which requires its file at first use. An index of any other form is left
 * to node. The same is done for `archiver`, 160 files that cdktf requires to zip assets and uses only
 * in a process of its own.
 */
const Module = require("node:module");
const path = require("node:path");
const util = require("node:util");

/** Set by kernel.py next to NODE_OPTIONS: the value that NODE_OPTIONS had before, maybe empty. */
const MARKER = "AETHER_KERNEL_NODE_OPTIONS";

const REEXPORT = /^exports\.(\w+) = require\("(\.\/[\w./-]+)"\);$/;
const FORMALITY = new RegExp(
  [
    '"use strict";',
    'Object\\.defineProperty\\(exports, "__esModule", \\{ value: true \\}\\);',
    "(?:exports\\.\\w+ = )+void 0;",
    "/\\*\\*| \\*.*|//.*|", // comments and blank lines
  ]
    .map((form) => `^(?:${form})$`)
    .join("|"),
);

/** The [name, request] pairs of an index that only re-exports, else undefined. */
function reexports(source) {
  const found = [];
  for (const line of source.split(/\r?\n/)) {
    const match = REEXPORT.exec(line);
    if (match) {
      found.push([match[1], match[2]]);
    } else if (!FORMALITY.test(line)) {
      return undefined;
    }
  }
  return found.length > 0 ? found : undefined;
}

/** Defines `exports[name]` as if required, but at first use. */
function defineLazily(module, name, request) {
  const define = (value) =>
    Object.defineProperty(module.exports, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  Object.defineProperty(module.exports, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = module.require(request);
      define(value);
      return value;
    },
    set: define,
  });
}

/** Gives every index that only re-exports its getters instead of running it. */
function deferReexports() {
  const compile = Module.prototype._compile;
  const index = path.join("lib", "index.js");
  Module.prototype._compile = function lazyCompile(source, filename, ...rest) {
    const pairs = filename.endsWith(path.sep + index) ? reexports(source) : undefined;
    if (pairs === undefined) {
      return compile.call(this, source, filename, ...rest);
    }
    Object.defineProperty(this.exports, "__esModule", { value: true });
    for (const [name, request] of pairs) {
      defineLazily(this, name, request);
    }
    return undefined;
  };
}

/** Has cdktf's `require("archiver")` return a function that requires the real one when it is called. */
function deferArchiver() {
  const load = Module._load;
  const user = path.join(path.sep, "cdktf", "lib", "private", "fs.js");
  Module._load = function lazyLoad(request, parent, ...rest) {
    const real = () => load.call(this, request, parent, ...rest);
    if (request !== "archiver" || !parent?.filename?.endsWith(user)) {
      return real();
    }
    return new Proxy(() => undefined, {
      apply: (_, self, args) => Reflect.apply(real(), self, args),
      get: (_, key) => real()[key],
    });
  };
}

/** Spares the user a warning at each run: cdktf calls `util.isArray`, which node 22 and later deprecate. */
function replaceDeprecated() {
  util.isArray = Array.isArray; // what it does, without the warning
}

/** Gives the kernel's own children the NODE_OPTIONS that the user set, not ours. */
function restoreEnvironment() {
  if (process.env[MARKER]) {
    process.env.NODE_OPTIONS = process.env[MARKER];
  } else {
    delete process.env.NODE_OPTIONS;
  }
  delete process.env[MARKER];
}

/** The kernel is the second of jsii's two node processes: the first only starts it and pipes. */
function isKernel() {
  return (
    process.env[MARKER] !== undefined &&
    process.env.JSII_AGENT !== undefined &&
    process.execArgv.includes("--preserve-symlinks") &&
    (process.argv[1] ?? "").endsWith(path.join(path.sep, "lib", "program.js"))
  );
}

if (isKernel()) {
  restoreEnvironment();
  deferReexports();
  deferArchiver();
  replaceDeprecated();
}
