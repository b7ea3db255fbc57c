// @ts-check
// The pages work without this; it makes them live.

import { keep } from "./time.js";
import { came, watch } from "./forms.js";
import { follow, steer } from "./log.js";
import { listen } from "./palette.js";
import { live } from "./live.js";

keep();
watch();
came();
follow(document);
steer();
listen();
live();
