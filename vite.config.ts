import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const tensorflowGroup = { name: "tensorflow", test: /node_modules[\\/]@tensorflow[\\/]/ };
const rechartsGroup = { name: "recharts", test: /node_modules[\\/]recharts[\\/]/ };

export default defineConfig({
  // Relative, so that the built folder works under any path and from any static file server.
  base: "./",
  plugins: [react()],
  build: {
    target: "esnext",
    sourcemap: false,
    rolldownOptions: { output: { codeSplitting: { groups: [rechartsGroup] } } },
  },
  worker: {
    format: "es",
    rolldownOptions: { output: { codeSplitting: { groups: [tensorflowGroup] } } },
  },
  preview: { port: 4173 },
});
