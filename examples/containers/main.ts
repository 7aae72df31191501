import { App } from "cdktf";
import { DashboardStack } from "./dashboard-stack";
import { PlantStack } from "./plant-stack";

const app = new App();
const plant = new PlantStack(app, "plant");
new DashboardStack(app, "dashboard", plant.node.id).addDependency(plant);
app.synth();
