from roman import number_of

print([number_of(text) for text in "I III IV VIII XIV XXXIX XLIV CDXCIX MMXXIV MDCLXVI XX".split()])
