import { expect, test } from "@jest/globals";
import { tableText } from "../../../src/cli/table.ts";

test("columns are as wide as their widest cell, and no line ends in a space", () => {
  const rows = [
    ["aws-shop-front", "12", ""],
    ["b", "3", "late"],
  ];
  expect(tableText(["NAME", "PODS", "NOTE"], rows)).toBe(
    "NAME            PODS  NOTE\naws-shop-front  12\nb               3     late\n",
  );
});

test("without a head there are rows only", () => {
  expect(tableText(undefined, [["a", "b"]])).toBe("a  b\n");
  expect(tableText(undefined, [])).toBe("");
});
