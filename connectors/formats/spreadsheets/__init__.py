"""What the cells of a workbook show: number formats, formulas, merged cells and notes."""
