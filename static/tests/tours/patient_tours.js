import { registry } from "@web/core/registry";

// How long a step waits for its element, as a machine may be busy: core's 10 s are few.
const STEP_MS = 60000;

/** Core's registry of tours, for tours whose steps wait longer. */
export const tours = {
    add(name, { steps }) {
        registry.category("web_tour.tours").add(name, {
            steps: () => steps().map((step) => ({ timeout: STEP_MS, ...step })),
        });
    },
};
