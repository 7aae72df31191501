import { App } from "cdktf";
import { mkdirSync } from "node:fs";
import { DashboardStack } from "./dashboard-stack";
import { PlantStack } from "./plant-stack";
import { settings } from "./settings";

// The dashboard's key is in the states of both stacks, and Terraform writes them for everybody to read.
mkdirSync(settings.state, { recursive: true, mode: 0o700 });

const app = new App();
const plant = new PlantStack(app, "plant");
new DashboardStack(app, "dashboard", plant.node.id).addDependency(plant);
app.synth();
